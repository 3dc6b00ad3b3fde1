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
