-- Frameworks as the API shows them.
CREATE TABLE frameworks (
    name text PRIMARY KEY,
    -- Number of the kind in the API.
    kind integer NOT NULL,
    -- The resource, encoded.
    resource bytea NOT NULL
);
