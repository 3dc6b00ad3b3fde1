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
