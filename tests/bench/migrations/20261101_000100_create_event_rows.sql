-- One row an event: what a list of everything that happened would be answered from.
CREATE TABLE event_rows (
    position bigint PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    organisation text COLLATE "C" NOT NULL,
    payload_bytes integer NOT NULL
);
