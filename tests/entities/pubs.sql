-- Of pubs, as instpubs.sql has it, with the types id and tid written out.
CREATE TABLE titleauthor
(
   au_id          varchar(11) NOT NULL,
   title_id       varchar(6) NOT NULL,
   au_ord         tinyint               NULL,
   royaltyper     int                   NULL,

   CONSTRAINT UPKCL_taind PRIMARY KEY CLUSTERED(au_id, title_id)
)
GO
CREATE TABLE sales
(
   stor_id        char(4) NOT NULL,
   ord_num        varchar(20)       NOT NULL,
   ord_date       datetime          NOT NULL,
   qty            smallint          NOT NULL,
   payterms       varchar(12)       NOT NULL,
   title_id       varchar(6) NOT NULL,

   CONSTRAINT UPKCL_sales PRIMARY KEY CLUSTERED (stor_id, ord_num, title_id)
)
GO
