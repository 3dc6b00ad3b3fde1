-- Reporting cycles as the API shows them.
CREATE TABLE cycles (
    name text PRIMARY KEY,
    framework text NOT NULL,
    -- Number of the status in the API.
    status integer NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);
