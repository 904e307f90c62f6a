-- Umbraco and nopCommerce, as SSMS scripts them, and tables with what else is found in the wild.
CREATE TABLE [dbo].[umbracoNode](
	[id] [int] IDENTITY(1060,1) NOT NULL,
	[uniqueId] [uniqueidentifier] NOT NULL,
	[parentId] [int] NOT NULL,
	[level] [int] NOT NULL,
	[path] [nvarchar](150) NOT NULL,
	[sortOrder] [int] NOT NULL,
	[trashed] [bit] NOT NULL,
	[nodeUser] [int] NULL,
	[text] [nvarchar](255) NULL,
	[nodeObjectType] [uniqueidentifier] NULL,
	[createDate] [datetime] NOT NULL,
 CONSTRAINT [PK_umbracoNode] PRIMARY KEY CLUSTERED ([id] ASC)WITH (STATISTICS_NORECOMPUTE = OFF, IGNORE_DUP_KEY = OFF) ON [PRIMARY]
) ON [PRIMARY]
GO
ALTER TABLE [dbo].[umbracoNode] ADD  CONSTRAINT [DF_umbracoNode_uniqueId]  DEFAULT (newid()) FOR [uniqueId]
GO
ALTER TABLE [dbo].[umbracoNode] ADD  CONSTRAINT [DF_umbracoNode_trashed]  DEFAULT ('0') FOR [trashed]
GO
ALTER TABLE [dbo].[umbracoNode] ADD  CONSTRAINT [DF_umbracoNode_createDate]  DEFAULT (getdate()) FOR [createDate]
GO
CREATE UNIQUE NONCLUSTERED INDEX [IX_umbracoNode_UniqueId] ON [dbo].[umbracoNode] ([uniqueId] ASC) INCLUDE([parentId],[level]) WITH (DROP_EXISTING = OFF) ON [PRIMARY]
GO
ALTER TABLE [dbo].[umbracoNode]  WITH CHECK ADD  CONSTRAINT [FK_umbracoNode_umbracoNode_id] FOREIGN KEY([parentId])
REFERENCES [dbo].[umbracoNode] ([id])
GO
ALTER TABLE [dbo].[umbracoNode] CHECK CONSTRAINT [FK_umbracoNode_umbracoNode_id]
GO
CREATE TABLE [dbo].[umbracoLog](
	[id] [int] IDENTITY(1,1) NOT NULL,
	[userId] [int] NULL,
	[NodeId] [int] NOT NULL,
	[entityType] [nvarchar](50) NULL,
	[Datestamp] [datetime] NOT NULL CONSTRAINT [DF_umbracoLog_Datestamp] DEFAULT (getdate()),
	[logHeader] [nvarchar](50) NOT NULL,
	[logComment] [nvarchar](4000) NULL,
 CONSTRAINT [PK_umbracoLog] PRIMARY KEY CLUSTERED ([id] ASC) ON [PRIMARY]
) ON [PRIMARY]
GO
CREATE TABLE [dbo].[Setting](
	[Id] [int] IDENTITY(1,1) NOT NULL,
	[Name] [nvarchar](200) NOT NULL,
	[Value] [nvarchar](max) NOT NULL,
	[StoreId] [int] NOT NULL,
PRIMARY KEY CLUSTERED ([Id] ASC) ON [PRIMARY]
) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
CREATE TABLE [nop].[Language](
	[Id] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
	[Name] [nvarchar](100) NOT NULL,
	[LanguageCulture] [nvarchar](20) NOT NULL,
	[UniqueSeoCode] [nvarchar](2) NULL,
	[Rtl] [bit] NOT NULL,
	[Published] [bit] NOT NULL,
	[DisplayOrder] [int] NOT NULL
)
GO
CREATE TABLE [dbo].[TierPrice](
	[Id] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
	[ProductId] [int] NOT NULL,
	[Quantity] [int] NOT NULL,
	[Price] [decimal](18, 4) NOT NULL,
	[StartDateTimeUtc] [datetime2](7) NULL
)
GO
CREATE TABLE [dbo].[Order Details](
	[Line No] [int] IDENTITY(1,1) NOT NULL,
	[LineKey] [int] NOT NULL,
	[Unit Price] [money] NOT NULL CONSTRAINT [DF_Order Details_UnitPrice] DEFAULT ($0.00),
	[Größe (cm)] [decimal](5, 1) NULL,
	[is.active] [bit] NOT NULL CONSTRAINT [it's active] DEFAULT ('1'),
	[Note] [nvarchar](60) NOT NULL CONSTRAINT [DF_Note] DEFAULT (N'it''s */ "new"'),
	[Email] [nvarchar](60) NULL,
	[HasEmail] [bit] NOT NULL CONSTRAINT [DF_HasEmail] DEFAULT ((0)),
	[Status] [int] NULL,
	[ColumnStatus] [int] NULL,
	[version] [int] NULL,
	[result] [nvarchar](20) NULL,
	[Period] [int] NULL,
 CONSTRAINT [PK_Order Details] PRIMARY KEY NONCLUSTERED ([LineKey] ASC)
) ON [PRIMARY]
GO
CREATE TABLE [dbo].[Kunden](
	[KundeNr] [int] NOT NULL PRIMARY KEY,
	[Straße] [nvarchar](60) NOT NULL,
	[Ort] [varchar](40) COLLATE German_PhoneBook_CI_AS NOT NULL,
	[Geändert] [datetime2](0) NOT NULL DEFAULT (CONVERT(date, getdate())),
	[Seit] [date] NOT NULL DEFAULT ('19000101')
)
GO
CREATE TABLE [dbo].[Staff Members](
	[StaffID] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
	[FullName] [nvarchar](80) NOT NULL,
	[Email] [varchar](100) MASKED WITH (FUNCTION = 'email()') NULL,
	[Salary] [money] MASKED WITH (FUNCTION = 'default()') NOT NULL,
	[Photo] [varbinary](max) NOT NULL,
	[Place] [geography] NOT NULL,
	[Manager] [int] NULL REFERENCES [dbo].[Staff Members] ([StaffID])
)
GO
CREATE TABLE [dbo].[Profiles](
	[ProfileID] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
	[UserCode] [varchar](20) NOT NULL UNIQUE REFERENCES [dbo].[Accounts] ([Code]) ON DELETE CASCADE,
	[Bio] [nvarchar](200) NULL
)
GO
CREATE TABLE [dbo].[Accounts](
	[Code] [varchar](20) NOT NULL PRIMARY KEY,
	[IsDefault] [bit] NOT NULL
)
GO
CREATE TABLE [dbo].[Modes](
	[ModeID] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
	[IsDefault] [bit] NOT NULL UNIQUE,
	[Name] [nvarchar](20) NULL
)
GO
CREATE TABLE [dbo].[Audits](
	[AuditID] [numeric](18, 0) IDENTITY(1,1) NOT NULL PRIMARY KEY,
	[AuditGuid] [uniqueidentifier] NOT NULL CONSTRAINT [UQ_Audits] UNIQUE DEFAULT (newsequentialid()),
	[What] [nvarchar](60) NOT NULL
)
GO
CREATE TABLE [dbo].[Views](
	[ViewID] [int] IDENTITY(1,1) NOT NULL PRIMARY KEY,
	[Name] [nvarchar](60) NOT NULL
)
GO
CREATE TRIGGER [dbo].[TR_Views] ON [dbo].[Views] INSTEAD OF INSERT AS SET NOCOUNT ON
GO
