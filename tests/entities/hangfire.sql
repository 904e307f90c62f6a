-- Hangfire, ELMAH and SSISDB, as their install scripts have it.
SET NOCOUNT ON
DECLARE @TARGET_SCHEMA_VERSION INT;
SET @TARGET_SCHEMA_VERSION = 9;
PRINT 'Installing Hangfire SQL objects...';
BEGIN TRANSACTION;
IF NOT EXISTS (SELECT 1 FROM sys.schemas WHERE [name] = 'HangFire')
BEGIN
    EXEC (N'CREATE SCHEMA [HangFire]');
    PRINT 'Created database schema [HangFire]';
END
ELSE
    PRINT 'Database schema [HangFire] already exists';

CREATE TABLE [HangFire].[Job] (
    [Id] [bigint] IDENTITY(1,1) NOT NULL,
    [StateId] [bigint] NULL,
    [StateName] [nvarchar](20) NULL,
    [InvocationData] [nvarchar](max) NOT NULL,
    [Arguments] [nvarchar](max) NOT NULL,
    [CreatedAt] [datetime] NOT NULL,
    [ExpireAt] [datetime] NULL,
    CONSTRAINT [PK_HangFire_Job] PRIMARY KEY CLUSTERED ([Id] ASC)
);
PRINT 'Created table [HangFire].[Job]';

CREATE NONCLUSTERED INDEX [IX_HangFire_Job_StateName] ON [HangFire].[Job] ([StateName] ASC)
WHERE [StateName] IS NOT NULL;
PRINT 'Created index [IX_HangFire_Job_StateName]';

CREATE TABLE [HangFire].[State] (
    [Id] [bigint] IDENTITY(1,1) NOT NULL,
    [JobId] [bigint] NOT NULL,
    [Name] [nvarchar](20) NOT NULL,
    [Reason] [nvarchar](100) NULL,
    [CreatedAt] [datetime] NOT NULL,
    [Data] [nvarchar](max) NULL,
    CONSTRAINT [PK_HangFire_State] PRIMARY KEY CLUSTERED ([JobId] ASC, [Id])
);
ALTER TABLE [HangFire].[State] ADD CONSTRAINT [FK_HangFire_State_Job] FOREIGN KEY([JobId])
    REFERENCES [HangFire].[Job] ([Id])
    ON UPDATE CASCADE
    ON DELETE CASCADE;

CREATE TABLE [HangFire].[Hash](
    [Key] [nvarchar](100) NOT NULL,
    [Field] [nvarchar](100) NOT NULL,
    [Value] [nvarchar](max) NULL,
    [ExpireAt] [datetime2](7) NULL,
    CONSTRAINT [PK_HangFire_Hash] PRIMARY KEY CLUSTERED ([Key] ASC, [Field] ASC)
)
GO
CREATE TABLE [HangFire].[Server](
    [Id] [nvarchar](200) NOT NULL,
    [Data] [nvarchar](max) NULL,
    [LastHeartbeat] [datetime] NOT NULL,
    CONSTRAINT [PK_HangFire_Server] PRIMARY KEY CLUSTERED ([Id] ASC)
);

CREATE TABLE [HangFire].[Counter](
    [Key] [nvarchar](100) NOT NULL,
    [Value] [int] NOT NULL,
    [ExpireAt] [datetime] NULL
);
CREATE CLUSTERED INDEX [CX_HangFire_Counter] ON [HangFire].[Counter] ([Key]);

CREATE TABLE [HangFire].[AggregatedCounter] (
    [Key] [nvarchar](100) NOT NULL,
    [Value] [bigint] NOT NULL,
    [ExpireAt] [datetime] NULL,
    CONSTRAINT [PK_HangFire_CounterAggregated] PRIMARY KEY CLUSTERED ([Key] ASC) WITH (IGNORE_DUP_KEY = ON)
);
COMMIT TRANSACTION;
GO

/* ELMAH */
CREATE TABLE [dbo].[ELMAH_Error]
(
    [ErrorId]     UNIQUEIDENTIFIER NOT NULL,
    [Application] NVARCHAR(60)  COLLATE SQL_Latin1_General_CP1_CI_AS NOT NULL,
    [Host]        NVARCHAR(50)  COLLATE SQL_Latin1_General_CP1_CI_AS NOT NULL,
    [Type]        NVARCHAR(100) COLLATE SQL_Latin1_General_CP1_CI_AS NOT NULL,
    [Message]     NVARCHAR(500) COLLATE SQL_Latin1_General_CP1_CI_AS NOT NULL,
    [StatusCode]  INT NOT NULL,
    [TimeUtc]     DATETIME NOT NULL,
    [Sequence]    INT IDENTITY (1, 1) NOT NULL,
    [AllXml]      NTEXT COLLATE SQL_Latin1_General_CP1_CI_AS NOT NULL
)
ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
ALTER TABLE [dbo].[ELMAH_Error] WITH NOCHECK ADD
    CONSTRAINT [PK_ELMAH_Error] PRIMARY KEY NONCLUSTERED ([ErrorId]) ON [PRIMARY]
GO
ALTER TABLE [dbo].[ELMAH_Error] ADD
    CONSTRAINT [DF_ELMAH_Error_ErrorId] DEFAULT (NEWID()) FOR [ErrorId]
GO

/* SSISDB */
CREATE TABLE [internal].[folders](
    [folder_id]       [bigint] IDENTITY(1,1) NOT NULL,
    [name]            [sysname] NOT NULL,
    [description]     [nvarchar](1024) NULL,
    [created_by_sid]  [varbinary](85) NOT NULL,
    [created_by_name] [nvarchar](128) NOT NULL,
    [created_time]    [datetimeoffset](7) NOT NULL,
    CONSTRAINT [PK_Folders] PRIMARY KEY CLUSTERED ([folder_id] ASC),
    CONSTRAINT [Unique_folder_name] UNIQUE NONCLUSTERED ([name] ASC)
)
GO
CREATE TABLE [internal].[executable_statistics](
    [statistics_id]      [bigint] IDENTITY(1,1) NOT NULL,
    [execution_id]       [bigint] NOT NULL,
    [executable_id]      [bigint] NOT NULL,
    [execution_hierarchy] [hierarchyid] NULL,
    [execution_duration] [int] NULL,
    [execution_result]   [smallint] NULL,
    [execution_value]    [sql_variant] NULL,
    CONSTRAINT [PK_Executable_statistics] PRIMARY KEY CLUSTERED ([statistics_id] ASC)
)
GO
