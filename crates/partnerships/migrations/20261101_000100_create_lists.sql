-- What lists are answered from. A resource has one row for each span of days in which it looks the same: a list as of
-- a day takes the rows whose span holds that day, so nothing here depends on the day on which it was made.
-- Names are ordered byte by byte, as page tokens compare them. `resource` is the resource as the API shows it, encoded. Numbers are those of the enumerations in proto/.

CREATE TABLE partners (
    name text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    -- The first day on which it looks otherwise; `infinity`: none.
    valid_until date NOT NULL,
    kind integer NOT NULL,
    country_code text NOT NULL,
    parent text NOT NULL,
    resource bytea NOT NULL,
    PRIMARY KEY (name, valid_from)
);

CREATE TABLE dialogues (
    name text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    valid_until date NOT NULL,
    -- Those of whom something is recorded or claimed.
    partners text[] NOT NULL,
    resource bytea NOT NULL,
    PRIMARY KEY (name, valid_from)
);

CREATE TABLE agreements (
    name text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    valid_until date NOT NULL,
    parties text[] NOT NULL,
    phase integer NOT NULL,
    scope integer NOT NULL,
    nature integer NOT NULL,
    resource bytea NOT NULL,
    PRIMARY KEY (name, valid_from)
);
