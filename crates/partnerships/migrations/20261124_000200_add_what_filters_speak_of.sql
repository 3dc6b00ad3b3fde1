-- What filters and orders of lists speak of (docs/queries.md) beside what the typed fields of requests do. Texts are
-- ordered byte by byte. Texts in two languages are kept as filters find them: in plain letters, each wording between
-- line breaks. Of a date that is known in part, its first day is kept.

ALTER TABLE partners
    ALTER COLUMN country_code TYPE text COLLATE "C",
    ALTER COLUMN parent TYPE text COLLATE "C",
    ADD COLUMN names text COLLATE "C" NOT NULL,
    ADD COLUMN short_names text COLLATE "C" NOT NULL;

ALTER TABLE dialogues
    ADD COLUMN names text COLLATE "C" NOT NULL,
    ADD COLUMN secretariat text COLLATE "C" NOT NULL,
    ADD COLUMN founded_on date;

ALTER TABLE agreements
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ADD COLUMN reference text COLLATE "C" NOT NULL,
    ADD COLUMN form integer NOT NULL,
    ADD COLUMN declared_nature integer NOT NULL,
    ADD COLUMN depositary text COLLATE "C" NOT NULL,
    ADD COLUMN entered_into_force_on date,
    ADD COLUMN ended_on date;
