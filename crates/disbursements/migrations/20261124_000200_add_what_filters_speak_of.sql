-- What filters and orders of lists speak of (docs/queries.md) beside what the typed fields of requests do. Texts are
-- ordered byte by byte. Texts in two languages are kept as filters find them: in plain letters, each wording between
-- line breaks. Of a date that is known in part, its first day is kept. Amounts are minor units, all of a row in its
-- currency.

ALTER TABLE funds
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ADD COLUMN reference text COLLATE "C" NOT NULL,
    ADD COLUMN trustee text COLLATE "C" NOT NULL,
    ADD COLUMN constitutive_agreement text COLLATE "C" NOT NULL,
    ADD COLUMN currency_code text COLLATE "C" NOT NULL,
    ADD COLUMN contracting_deadline date,
    ADD COLUMN end_of_activities date,
    ADD COLUMN received bigint,
    ADD COLUMN paid bigint,
    ADD COLUMN recovered bigint,
    ADD COLUMN available bigint,
    ADD COLUMN open_contracts text[] NOT NULL,
    ADD COLUMN state integer NOT NULL;

ALTER TABLE contributions
    ALTER COLUMN fund TYPE text COLLATE "C",
    ALTER COLUMN donor TYPE text COLLATE "C",
    ADD COLUMN currency_code text COLLATE "C" NOT NULL,
    ADD COLUMN pledged bigint,
    ADD COLUMN certified bigint,
    ADD COLUMN received bigint;

ALTER TABLE decisions
    ALTER COLUMN fund TYPE text COLLATE "C",
    ADD COLUMN reference text COLLATE "C" NOT NULL,
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ADD COLUMN fund_window text COLLATE "C" NOT NULL,
    ADD COLUMN strategic_objectives text[] NOT NULL,
    ADD COLUMN currency_code text COLLATE "C" NOT NULL,
    ADD COLUMN requested bigint,
    ADD COLUMN approved bigint,
    ADD COLUMN ceiling bigint,
    ADD COLUMN contracted bigint,
    ADD COLUMN available bigint,
    ADD COLUMN state integer NOT NULL,
    ADD COLUMN implementers text[] NOT NULL,
    ADD COLUMN agreements text[] NOT NULL,
    ADD COLUMN commitments text[] NOT NULL;

ALTER TABLE contracts
    ADD COLUMN fund text COLLATE "C" NOT NULL,
    ALTER COLUMN decision TYPE text COLLATE "C",
    ADD COLUMN reference text COLLATE "C" NOT NULL,
    ADD COLUMN title text COLLATE "C" NOT NULL,
    ALTER COLUMN implementer TYPE text COLLATE "C",
    ADD COLUMN signed_on date,
    ADD COLUMN starts_on date,
    ADD COLUMN ends_on date,
    ADD COLUMN currency_code text COLLATE "C" NOT NULL,
    ADD COLUMN fund_share bigint,
    ADD COLUMN paid bigint,
    ADD COLUMN recovered bigint,
    ADD COLUMN available bigint,
    ADD COLUMN open_recoveries bigint,
    ADD COLUMN agreements text[] NOT NULL,
    ADD COLUMN commitments text[] NOT NULL,
    ADD COLUMN programme_lines text[] NOT NULL,
    ADD COLUMN state integer NOT NULL,
    ADD COLUMN suspended_since date;

ALTER TABLE payments
    ADD COLUMN fund text COLLATE "C" NOT NULL,
    ALTER COLUMN contract TYPE text COLLATE "C",
    ADD COLUMN implementer text COLLATE "C" NOT NULL,
    ADD COLUMN kind integer NOT NULL,
    ADD COLUMN currency_code text COLLATE "C" NOT NULL,
    ADD COLUMN requested bigint,
    ADD COLUMN accepted bigint,
    ADD COLUMN paid bigint,
    ADD COLUMN paid_on date,
    ADD COLUMN state integer NOT NULL;
