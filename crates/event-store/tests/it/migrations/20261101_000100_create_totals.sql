-- What each tally comes to, and by how many events.
CREATE TABLE totals (
    tally text PRIMARY KEY,
    total bigint NOT NULL,
    events bigint NOT NULL
);
