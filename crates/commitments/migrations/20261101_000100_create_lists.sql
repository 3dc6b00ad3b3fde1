-- Frameworks as the API shows them.
CREATE TABLE frameworks (
    name text PRIMARY KEY,
    -- Number of the kind in the API.
    kind integer NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);

-- Reporting cycles as the API shows them.
CREATE TABLE cycles (
    name text PRIMARY KEY,
    framework text NOT NULL,
    -- Number of the status in the API.
    status integer NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);

-- Commitments as the API shows them, but for what is known of the agreements that they rest on.
CREATE TABLE commitments (
    name text PRIMARY KEY,
    owner text NOT NULL,
    framework text NOT NULL,
    plan text NOT NULL,
    -- Empty: the plan as a whole.
    item text NOT NULL,
    -- Number of the status in the API.
    status integer NOT NULL,
    is_open boolean NOT NULL,
    -- The last day that the due date may mean, as 2018-12-31; null: without a date.
    due_until text,
    agreements text[] NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);

CREATE INDEX ON commitments (owner, name);
CREATE INDEX ON commitments (framework, name);

-- What is known of agreements, with all that is recorded of them.
CREATE TABLE agreement_standings (
    agreement text PRIMARY KEY,
    is_contested boolean NOT NULL,
    -- The agreement as commitments cite it, encoded.
    cited bytea NOT NULL
);

-- Initiatives as the API shows them.
CREATE TABLE initiatives (
    name text PRIMARY KEY,
    -- Number of the type in the API.
    type integer NOT NULL,
    responsible text NOT NULL,
    -- Numbers in the API; status 0: nothing recorded.
    status integer NOT NULL,
    verification integer NOT NULL,
    -- The frameworks whose plans it serves.
    frameworks text[] NOT NULL,
    places text[] NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);

-- Indicators as the API shows them, with their values.
CREATE TABLE indicators (
    name text PRIMARY KEY,
    -- The frameworks to whose lists its definitions belong.
    frameworks text[] NOT NULL,
    -- Whatever it has values or targets for.
    subjects text[] NOT NULL,
    has_conflicts boolean NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);
