-- TPC-H, as dss.ddl has it.
CREATE TABLE tpch.NATION  ( N_NATIONKEY  INTEGER NOT NULL,
                            N_NAME       CHAR(25) NOT NULL,
                            N_REGIONKEY  INTEGER NOT NULL,
                            N_COMMENT    VARCHAR(152));

CREATE TABLE tpch.REGION  ( R_REGIONKEY  INTEGER NOT NULL,
                            R_NAME       CHAR(25) NOT NULL,
                            R_COMMENT    VARCHAR(152));

CREATE TABLE tpch.PART  ( P_PARTKEY     INTEGER NOT NULL,
                          P_NAME        VARCHAR(55) NOT NULL,
                          P_MFGR        CHAR(25) NOT NULL,
                          P_BRAND       CHAR(10) NOT NULL,
                          P_TYPE        VARCHAR(25) NOT NULL,
                          P_SIZE        INTEGER NOT NULL,
                          P_CONTAINER   CHAR(10) NOT NULL,
                          P_RETAILPRICE DECIMAL(15,2) NOT NULL,
                          P_COMMENT     VARCHAR(23) NOT NULL );

CREATE TABLE tpch.LINEITEM ( L_ORDERKEY    INTEGER NOT NULL,
                             L_PARTKEY     INTEGER NOT NULL,
                             L_LINENUMBER  INTEGER NOT NULL,
                             L_QUANTITY    DECIMAL(15,2) NOT NULL,
                             L_SHIPDATE    DATE NOT NULL,
                             L_COMMENT      VARCHAR(44) NOT NULL);
ALTER TABLE tpch.REGION ADD PRIMARY KEY (R_REGIONKEY);
ALTER TABLE tpch.NATION ADD PRIMARY KEY (N_NATIONKEY);
ALTER TABLE tpch.NATION ADD CONSTRAINT NATION_FK1 FOREIGN KEY (N_REGIONKEY) references tpch.REGION;
ALTER TABLE tpch.PART ADD PRIMARY KEY (P_PARTKEY);
ALTER TABLE tpch.LINEITEM ADD PRIMARY KEY (L_ORDERKEY,L_LINENUMBER);
