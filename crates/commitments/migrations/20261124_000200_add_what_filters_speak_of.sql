-- What filters and orders of lists speak of (docs/queries.md) beside what the typed fields of requests do. Texts are
-- ordered byte by byte. Texts in two languages are kept as filters find them: in plain letters, each wording between
-- line breaks. Of a date that is known in part, its first day is kept.

ALTER TABLE frameworks
    ALTER COLUMN name TYPE text COLLATE "C",
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ADD COLUMN secretariat text COLLATE "C" NOT NULL;

ALTER TABLE cycles
    ALTER COLUMN name TYPE text COLLATE "C",
    ALTER COLUMN framework TYPE text COLLATE "C",
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ADD COLUMN due_on date,
    ADD COLUMN opened_on date,
    ADD COLUMN closed_on date;

ALTER TABLE commitments
    ALTER COLUMN name TYPE text COLLATE "C",
    ALTER COLUMN owner TYPE text COLLATE "C",
    ALTER COLUMN framework TYPE text COLLATE "C",
    ALTER COLUMN plan TYPE text COLLATE "C",
    ALTER COLUMN item TYPE text COLLATE "C",
    ALTER COLUMN due_until TYPE date USING due_until::date,
    ADD COLUMN text text COLLATE "C" NOT NULL,
    ADD COLUMN due_on date,
    ADD COLUMN confirmation integer NOT NULL,
    ADD COLUMN register_reference text COLLATE "C" NOT NULL;

ALTER TABLE initiatives
    ALTER COLUMN name TYPE text COLLATE "C",
    ALTER COLUMN responsible TYPE text COLLATE "C",
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ADD COLUMN confirmation integer NOT NULL;

ALTER TABLE indicators
    ALTER COLUMN name TYPE text COLLATE "C",
    -- Of all versions of its definition.
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ADD COLUMN codes text[] NOT NULL;
