-- Django with mssql-django, as `manage.py sqlmigrate` prints it.
CREATE TABLE [django_content_type] ([id] int IDENTITY (1, 1) NOT NULL PRIMARY KEY, [app_label] nvarchar(100) NOT NULL, [model] nvarchar(100) NOT NULL);
ALTER TABLE [django_content_type] ADD CONSTRAINT [django_content_type_app_label_model_76bd3d3b_uniq] UNIQUE ([app_label], [model]);
CREATE TABLE [auth_permission] ([id] int IDENTITY (1, 1) NOT NULL PRIMARY KEY, [name] nvarchar(255) NOT NULL, [content_type_id] int NOT NULL, [codename] nvarchar(100) NOT NULL);
CREATE TABLE [auth_group] ([id] int IDENTITY (1, 1) NOT NULL PRIMARY KEY, [name] nvarchar(150) NOT NULL UNIQUE);
CREATE TABLE [auth_group_permissions] ([id] bigint IDENTITY (1, 1) NOT NULL PRIMARY KEY, [group_id] int NOT NULL, [permission_id] int NOT NULL);
CREATE TABLE [auth_user] ([id] int IDENTITY (1, 1) NOT NULL PRIMARY KEY, [password] nvarchar(128) NOT NULL, [last_login] datetimeoffset NULL, [is_superuser] bit NOT NULL, [username] nvarchar(150) NOT NULL, [first_name] nvarchar(150) NOT NULL, [last_name] nvarchar(150) NOT NULL, [email] nvarchar(254) NOT NULL, [is_staff] bit NOT NULL, [is_active] bit NOT NULL, [date_joined] datetimeoffset NOT NULL);
CREATE TABLE [django_session] ([session_key] nvarchar(40) NOT NULL PRIMARY KEY, [session_data] nvarchar(max) NOT NULL, [expire_date] datetimeoffset NOT NULL);
CREATE TABLE [django_admin_log] ([id] int IDENTITY (1, 1) NOT NULL PRIMARY KEY, [action_time] datetimeoffset NOT NULL, [object_id] nvarchar(max) NULL, [object_repr] nvarchar(200) NOT NULL, [action_flag] smallint NOT NULL, [change_message] nvarchar(max) NOT NULL, [content_type_id] int NULL, [user_id] int NOT NULL);
ALTER TABLE [auth_permission] ADD CONSTRAINT [auth_permission_content_type_id_codename_01ab375a_uniq] UNIQUE ([content_type_id], [codename]);
ALTER TABLE [auth_permission] ADD CONSTRAINT [auth_permission_content_type_id_2f476e4b_fk_django_content_type_id] FOREIGN KEY ([content_type_id]) REFERENCES [django_content_type] ([id]);
ALTER TABLE [auth_group_permissions] ADD CONSTRAINT [auth_group_permissions_group_id_permission_id_0cd325b0_uniq] UNIQUE ([group_id], [permission_id]);
ALTER TABLE [auth_group_permissions] ADD CONSTRAINT [auth_group_permissions_group_id_b120cbf9_fk_auth_group_id] FOREIGN KEY ([group_id]) REFERENCES [auth_group] ([id]);
ALTER TABLE [auth_group_permissions] ADD CONSTRAINT [auth_group_permissions_permission_id_84c5c92e_fk_auth_permission_id] FOREIGN KEY ([permission_id]) REFERENCES [auth_permission] ([id]);
ALTER TABLE [auth_user] ADD CONSTRAINT [auth_user_username_6821ab7c_uniq] UNIQUE ([username]);
ALTER TABLE [django_admin_log] ADD CONSTRAINT [django_admin_log_action_flag_check] CHECK ([action_flag] >= 0);
CREATE INDEX [django_session_expire_date_a5c62663] ON [django_session] ([expire_date]);
