-- What lists are answered from: one row a resource, with the columns that lists filter by and the resource itself as
-- the API shows it (protobuf). Names are ordered byte by byte, as page tokens compare them.

CREATE TABLE funds (
    name     text COLLATE "C" PRIMARY KEY,
    resource bytea NOT NULL
);

CREATE TABLE contributions (
    name     text COLLATE "C" PRIMARY KEY,
    fund     text NOT NULL,
    donor    text NOT NULL,
    resource bytea NOT NULL
);

CREATE TABLE decisions (
    name          text COLLATE "C" PRIMARY KEY,
    fund          text NOT NULL,
    country_codes text[] NOT NULL,
    resource      bytea NOT NULL
);

CREATE TABLE contracts (
    name        text COLLATE "C" PRIMARY KEY,
    decision    text NOT NULL,
    implementer text NOT NULL,
    resource    bytea NOT NULL
);
CREATE INDEX contracts_by_decision ON contracts (decision, name);

CREATE TABLE payments (
    name     text COLLATE "C" PRIMARY KEY,
    contract text NOT NULL,
    resource bytea NOT NULL
);
CREATE INDEX payments_by_contract ON payments (contract, name);
