CREATE TABLE archloom_schema (
    version_num character varying(32) NOT NULL
);

CREATE TABLE artifacts (
    trial_id integer NOT NULL,
    name text NOT NULL,
    path text NOT NULL
);

CREATE TABLE metrics (
    trial_id integer NOT NULL,
    split text NOT NULL,
    name text NOT NULL,
    value double precision,
    CONSTRAINT ck_metrics_name CHECK ((name <> ''::text)),
    CONSTRAINT ck_metrics_split CHECK ((split = ANY (ARRAY[''::text, 'train'::text, 'validation'::text, 'test'::text])))
);

CREATE TABLE objectives (
    study_id integer NOT NULL,
    "position" integer NOT NULL,
    metric text NOT NULL,
    split text NOT NULL,
    direction text NOT NULL,
    CONSTRAINT ck_objectives_direction CHECK ((direction = ANY (ARRAY['maximize'::text, 'minimize'::text]))),
    CONSTRAINT ck_objectives_position CHECK (("position" >= 0)),
    CONSTRAINT ck_objectives_split CHECK ((split = ANY (ARRAY[''::text, 'train'::text, 'validation'::text, 'test'::text])))
);

CREATE TABLE studies (
    id integer NOT NULL,
    name text NOT NULL,
    seed bigint NOT NULL,
    created_at text NOT NULL,
    archloom_version text NOT NULL,
    space text NOT NULL,
    fingerprint text NOT NULL,
    config text NOT NULL,
    constraints text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    max_trials integer,
    budget text DEFAULT 'evaluations'::text NOT NULL,
    CONSTRAINT ck_studies_budget CHECK ((budget = ANY (ARRAY['evaluations'::text, 'proposals'::text]))),
    CONSTRAINT ck_studies_max_trials CHECK ((max_trials > 0)),
    CONSTRAINT ck_studies_name CHECK ((name <> ''::text)),
    CONSTRAINT ck_studies_status CHECK ((status = ANY (ARRAY['running'::text, 'stopped'::text, 'done'::text])))
);

CREATE TABLE trials (
    id integer NOT NULL,
    study_id integer NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    key text NOT NULL,
    architecture text NOT NULL,
    ask integer NOT NULL,
    seed bigint NOT NULL,
    fidelity text,
    violation double precision DEFAULT '0'::double precision NOT NULL,
    is_pareto boolean DEFAULT false NOT NULL,
    reused_from integer,
    reason text DEFAULT ''::text NOT NULL,
    traceback text DEFAULT ''::text NOT NULL,
    created_at text NOT NULL,
    started_at text,
    finished_at text,
    seconds double precision,
    value double precision,
    excluded text DEFAULT ''::text NOT NULL,
    finish_order integer,
    worker_id integer,
    n_lost integer DEFAULT 0 NOT NULL,
    CONSTRAINT ck_trials_excluded CHECK ((excluded = ANY (ARRAY[''::text, 'outside'::text, 'invalid'::text]))),
    CONSTRAINT ck_trials_finish_order CHECK (((finished_at IS NULL) = (finish_order IS NULL))),
    CONSTRAINT ck_trials_finished_at CHECK (((state = ANY (ARRAY['WAITING'::text, 'RUNNING'::text])) = (finished_at IS NULL))),
    CONSTRAINT ck_trials_is_pareto CHECK (((NOT is_pareto) OR ((state = 'COMPLETE'::text) AND (violation = (0)::double precision) AND (excluded = ''::text)))),
    CONSTRAINT ck_trials_n_lost CHECK ((n_lost >= 0)),
    CONSTRAINT ck_trials_number CHECK ((number >= 0)),
    CONSTRAINT ck_trials_reused_from CHECK ((reused_from <> number)),
    CONSTRAINT ck_trials_seconds CHECK (((finished_at IS NULL) = (seconds IS NULL))),
    CONSTRAINT ck_trials_started_at CHECK (((state = 'WAITING'::text) = (started_at IS NULL))),
    CONSTRAINT ck_trials_state CHECK ((state = ANY (ARRAY['WAITING'::text, 'RUNNING'::text, 'COMPLETE'::text, 'PRUNED'::text, 'FAIL'::text]))),
    CONSTRAINT ck_trials_value CHECK (((state <> 'COMPLETE'::text) OR (value IS NOT NULL))),
    CONSTRAINT ck_trials_violation CHECK ((violation >= (0)::double precision))
);

CREATE VIEW front AS
 SELECT t.study_id,
    o."position",
    s.name AS study,
    t.number AS trial,
    t.architecture,
    ( SELECT string_agg(((labelled.label || '='::text) ||
                CASE
                    WHEN (labelled.value IS NULL) THEN 'nan'::text
                    WHEN ((abs(labelled.value) < ('1000000000000000'::numeric)::double precision) AND (labelled.value = trunc(labelled.value))) THEN ((labelled.value)::bigint)::text
                    WHEN ((abs(labelled.value) < ('1000000000000000'::numeric)::double precision) AND (abs(labelled.value) >= (0.0001)::double precision)) THEN (trim_scale(round((labelled.value)::numeric, 6)))::text
                    ELSE (labelled.value)::text
                END), ', '::text ORDER BY (labelled.label COLLATE "C")) AS string_agg
           FROM ( SELECT
                        CASE
                            WHEN (metrics.split = ''::text) THEN metrics.name
                            WHEN ((metrics.split = 'validation'::text) AND (NOT bool_or((metrics.split = ''::text)) OVER (PARTITION BY metrics.name))) THEN metrics.name
                            ELSE ((metrics.split || '/'::text) || metrics.name)
                        END AS label,
                    metrics.value
                   FROM metrics
                  WHERE (metrics.trial_id = t.id)) labelled) AS metrics,
        CASE o.split
            WHEN ''::text THEN o.metric
            ELSE ((o.split || '/'::text) || o.metric)
        END AS objective,
    o.direction,
    m.value,
    t.finished_at
   FROM (((trials t
     JOIN studies s ON ((s.id = t.study_id)))
     JOIN objectives o ON ((o.study_id = t.study_id)))
     JOIN metrics m ON (((m.trial_id = t.id) AND (m.name = o.metric) AND (m.split = o.split))))
  WHERE t.is_pareto;

CREATE VIEW best AS
 SELECT placed.study,
    placed.trial,
    placed.architecture,
    placed.metrics,
    placed.objective,
    placed.direction,
    placed.value,
    placed.finished_at
   FROM ( SELECT front.study_id,
            front."position",
            front.study,
            front.trial,
            front.architecture,
            front.metrics,
            front.objective,
            front.direction,
            front.value,
            front.finished_at,
            row_number() OVER (PARTITION BY front.study_id, front."position" ORDER BY
                CASE front.direction
                    WHEN 'maximize'::text THEN (- front.value)
                    ELSE front.value
                END, front.trial) AS place
           FROM front) placed
  WHERE (placed.place = 1)
  ORDER BY placed.study_id, placed."position";

CREATE TABLE predictions (
    trial_id integer NOT NULL,
    predictor text NOT NULL,
    split text NOT NULL,
    name text NOT NULL,
    mean double precision NOT NULL,
    std double precision,
    at text NOT NULL,
    CONSTRAINT ck_predictions_split CHECK ((split = ANY (ARRAY[''::text, 'train'::text, 'validation'::text, 'test'::text]))),
    CONSTRAINT ck_predictions_std CHECK ((std >= (0)::double precision))
);

CREATE VIEW calibration AS
 SELECT s.name AS study,
    t.number AS trial,
    p.predictor,
        CASE p.split
            WHEN ''::text THEN p.name
            ELSE ((p.split || '/'::text) || p.name)
        END AS metric,
    p.mean,
    p.std,
    m.value,
    (m.value - p.mean) AS error,
        CASE
            WHEN (p.std > (0)::double precision) THEN ((m.value - p.mean) / p.std)
            ELSE NULL::double precision
        END AS z
   FROM (((predictions p
     JOIN trials t ON ((t.id = p.trial_id)))
     JOIN studies s ON ((s.id = t.study_id)))
     LEFT JOIN metrics m ON (((m.trial_id = t.id) AND (m.split = p.split) AND (m.name = p.name) AND (t.excluded = ''::text))));

CREATE TABLE curves (
    trial_id integer NOT NULL,
    split text NOT NULL,
    name text NOT NULL,
    step integer NOT NULL,
    value double precision,
    CONSTRAINT ck_curves_name CHECK ((name <> ''::text)),
    CONSTRAINT ck_curves_split CHECK ((split = ANY (ARRAY[''::text, 'train'::text, 'validation'::text, 'test'::text])))
);

CREATE TABLE decisions (
    trial_id integer NOT NULL,
    name text NOT NULL,
    choice text NOT NULL,
    value double precision,
    is_float boolean NOT NULL,
    CONSTRAINT ck_decisions_is_float CHECK (((NOT is_float) OR (value IS NOT NULL)))
);

CREATE TABLE events (
    id integer NOT NULL,
    study_id integer NOT NULL,
    trial_id integer,
    at text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL
);

CREATE SEQUENCE events_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE events_id_seq OWNED BY events.id;

CREATE VIEW pareto AS
 SELECT front.study,
    front.trial,
    front.architecture,
    front.metrics,
    front.objective,
    front.direction,
    front.value,
    front.finished_at,
    ( SELECT string_agg(((o.direction || ' '::text) ||
                CASE o.split
                    WHEN ''::text THEN o.metric
                    ELSE ((o.split || '/'::text) || o.metric)
                END), ', '::text ORDER BY o."position") AS string_agg
           FROM objectives o
          WHERE (o.study_id = front.study_id)) AS objectives
   FROM front
  WHERE (front."position" = 0)
  ORDER BY front.study_id, front.trial;

CREATE TABLE revisions (
    study_id integer NOT NULL,
    number integer NOT NULL,
    at text NOT NULL,
    first_trial integer NOT NULL,
    space text NOT NULL,
    fingerprint text NOT NULL,
    config text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT ck_revisions_number CHECK ((number >= 0))
);

CREATE TABLE run_metrics (
    run_id integer NOT NULL,
    split text NOT NULL,
    name text NOT NULL,
    step integer NOT NULL,
    value double precision,
    CONSTRAINT ck_run_metrics_name CHECK ((name <> ''::text)),
    CONSTRAINT ck_run_metrics_split CHECK ((split = ANY (ARRAY[''::text, 'train'::text, 'validation'::text, 'test'::text])))
);

CREATE TABLE runs (
    id integer NOT NULL,
    study_id integer NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    seed bigint NOT NULL,
    worker_id integer,
    n_lost integer DEFAULT 0 NOT NULL,
    checkpoint text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    created_at text NOT NULL,
    started_at text,
    finished_at text,
    seconds double precision,
    CONSTRAINT ck_runs_finished_at CHECK (((state = ANY (ARRAY['WAITING'::text, 'RUNNING'::text])) = (finished_at IS NULL))),
    CONSTRAINT ck_runs_n_lost CHECK ((n_lost >= 0)),
    CONSTRAINT ck_runs_name CHECK ((name <> ''::text)),
    CONSTRAINT ck_runs_state CHECK ((state = ANY (ARRAY['WAITING'::text, 'RUNNING'::text, 'COMPLETE'::text, 'FAIL'::text])))
);

CREATE SEQUENCE runs_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE runs_id_seq OWNED BY runs.id;

CREATE SEQUENCE studies_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE studies_id_seq OWNED BY studies.id;

CREATE TABLE tags (
    trial_id integer NOT NULL,
    tag text NOT NULL,
    CONSTRAINT ck_tags_tag CHECK ((tag <> ''::text))
);

CREATE SEQUENCE trials_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE trials_id_seq OWNED BY trials.id;

CREATE VIEW wide_by_hand___quoted_ AS
 SELECT trials.number,
    trials.state,
    ( SELECT decisions.value
           FROM decisions
          WHERE ((decisions.trial_id = trials.id) AND (decisions.name = 'op'::text))) AS op,
    ( SELECT decisions.value
           FROM decisions
          WHERE ((decisions.trial_id = trials.id) AND (decisions.name = 'rate'::text))) AS rate,
    ( SELECT metrics.value
           FROM metrics
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = ''::text) AND (metrics.name = 'loss'::text))) AS loss,
    ( SELECT metrics.value
           FROM metrics
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = 'test'::text) AND (metrics.name = 'loss'::text))) AS "test/loss",
    trials.seconds,
    trials.violation,
    trials.is_pareto,
    trials.reused_from,
    trials.fidelity,
    trials.excluded,
    trials.reason,
    trials.finished_at
   FROM trials
  WHERE (trials.study_id = 2)
  ORDER BY trials.number;

CREATE VIEW wide_two_goals AS
 SELECT trials.number,
    trials.state,
    ( SELECT decisions.value
           FROM decisions
          WHERE ((decisions.trial_id = trials.id) AND (decisions.name = 'lr'::text))) AS lr,
    ( SELECT decisions.choice
           FROM decisions
          WHERE ((decisions.trial_id = trials.id) AND (decisions.name = 'op'::text))) AS op,
    ( SELECT decisions.value
           FROM decisions
          WHERE ((decisions.trial_id = trials.id) AND (decisions.name = 'width'::text))) AS width,
    ( SELECT metrics.value
           FROM metrics
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = ''::text) AND (metrics.name = 'params'::text))) AS params,
    ( SELECT metrics.value
           FROM metrics
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = 'validation'::text) AND (metrics.name = 'accuracy'::text))) AS accuracy,
    trials.seconds,
    trials.violation,
    trials.is_pareto,
    trials.reused_from,
    trials.fidelity,
    trials.excluded,
    trials.reason,
    trials.finished_at
   FROM trials
  WHERE (trials.study_id = 1)
  ORDER BY trials.number;

CREATE TABLE workers (
    id integer NOT NULL,
    study_id integer NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    process text NOT NULL,
    is_proposer boolean DEFAULT false NOT NULL,
    n_slots integer DEFAULT 0 NOT NULL,
    n_beats integer DEFAULT 0 NOT NULL,
    started_at text NOT NULL,
    renewed_at text NOT NULL,
    ended_at text,
    CONSTRAINT ck_workers_is_proposer CHECK (((NOT is_proposer) OR (ended_at IS NULL))),
    CONSTRAINT ck_workers_n_slots CHECK ((n_slots >= 0))
);

CREATE SEQUENCE workers_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE workers_id_seq OWNED BY workers.id;

ALTER TABLE ONLY events ALTER COLUMN id SET DEFAULT nextval('events_id_seq'::regclass);

ALTER TABLE ONLY runs ALTER COLUMN id SET DEFAULT nextval('runs_id_seq'::regclass);

ALTER TABLE ONLY studies ALTER COLUMN id SET DEFAULT nextval('studies_id_seq'::regclass);

ALTER TABLE ONLY trials ALTER COLUMN id SET DEFAULT nextval('trials_id_seq'::regclass);

ALTER TABLE ONLY workers ALTER COLUMN id SET DEFAULT nextval('workers_id_seq'::regclass);

INSERT INTO archloom_schema VALUES ('0002');

INSERT INTO artifacts VALUES (15, 'weights.safetensors', '/nowhere/w');

INSERT INTO curves VALUES (1, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (1, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (1, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (1, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (1, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (1, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (2, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (2, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (2, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (2, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (2, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (2, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (3, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (3, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (3, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (3, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (3, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (3, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (4, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (4, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (4, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (4, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (4, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (4, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (5, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (5, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (5, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (5, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (5, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (5, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (6, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (6, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (6, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (6, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (6, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (6, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (7, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (7, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (7, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (7, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (7, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (7, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (8, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (8, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (8, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (8, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (8, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (8, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (10, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (10, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (10, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (10, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (10, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (10, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (11, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (11, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (11, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (11, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (11, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (11, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (12, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (12, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (12, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (12, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (12, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (12, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (13, 'validation', 'accuracy', 0, 0.5);
INSERT INTO curves VALUES (13, 'train', 'loss', 0, 1);
INSERT INTO curves VALUES (13, 'validation', 'accuracy', 1, 0.6);
INSERT INTO curves VALUES (13, 'train', 'loss', 1, 0.5);
INSERT INTO curves VALUES (13, 'validation', 'accuracy', 2, 0.7);
INSERT INTO curves VALUES (13, 'train', 'loss', 2, 0.3333333333333333);
INSERT INTO curves VALUES (14, '', 'loss', 0, 5);
INSERT INTO curves VALUES (14, '', 'loss', 1, 'Infinity');
INSERT INTO curves VALUES (20, '', 'loss', 0, 4);

INSERT INTO decisions VALUES (1, 'op', 'pool', NULL, false);
INSERT INTO decisions VALUES (1, 'width', '16', 16, false);
INSERT INTO decisions VALUES (1, 'lr', '0.02444424015301387', 0.02444424015301387, true);
INSERT INTO decisions VALUES (2, 'op', 'conv', NULL, false);
INSERT INTO decisions VALUES (2, 'width', '16', 16, false);
INSERT INTO decisions VALUES (2, 'lr', '0.04131252193691749', 0.04131252193691749, true);
INSERT INTO decisions VALUES (3, 'op', 'pool', NULL, false);
INSERT INTO decisions VALUES (3, 'width', '32', 32, false);
INSERT INTO decisions VALUES (3, 'lr', '0.07458743402199829', 0.07458743402199829, true);
INSERT INTO decisions VALUES (4, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (4, 'width', '16', 16, false);
INSERT INTO decisions VALUES (4, 'lr', '0.03267471535539036', 0.03267471535539036, true);
INSERT INTO decisions VALUES (5, 'op', 'conv', NULL, false);
INSERT INTO decisions VALUES (5, 'width', '16', 16, false);
INSERT INTO decisions VALUES (5, 'lr', '0.02444424015301387', 0.02444424015301387, true);
INSERT INTO decisions VALUES (6, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (6, 'width', '16', 16, false);
INSERT INTO decisions VALUES (6, 'lr', '0.02444424015301387', 0.02444424015301387, true);
INSERT INTO decisions VALUES (7, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (7, 'width', '16', 16, false);
INSERT INTO decisions VALUES (7, 'lr', '0.09167385843678397', 0.09167385843678397, true);
INSERT INTO decisions VALUES (8, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (8, 'width', '16', 16, false);
INSERT INTO decisions VALUES (8, 'lr', '0.02467901108276221', 0.02467901108276221, true);
INSERT INTO decisions VALUES (9, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (9, 'width', '16', 16, false);
INSERT INTO decisions VALUES (9, 'lr', '0.02444424015301387', 0.02444424015301387, true);
INSERT INTO decisions VALUES (10, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (10, 'width', '16', 16, false);
INSERT INTO decisions VALUES (10, 'lr', '0.032506908210811446', 0.032506908210811446, true);
INSERT INTO decisions VALUES (11, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (11, 'width', '32', 32, false);
INSERT INTO decisions VALUES (11, 'lr', '0.09167385843678397', 0.09167385843678397, true);
INSERT INTO decisions VALUES (12, 'op', 'skip', NULL, false);
INSERT INTO decisions VALUES (12, 'width', '16', 16, false);
INSERT INTO decisions VALUES (12, 'lr', '0.013904193960000092', 0.013904193960000092, true);
INSERT INTO decisions VALUES (13, 'op', 'conv', NULL, false);
INSERT INTO decisions VALUES (13, 'width', '16', 16, false);
INSERT INTO decisions VALUES (13, 'lr', '0.032506908210811446', 0.032506908210811446, true);
INSERT INTO decisions VALUES (14, 'op', '0', 0, false);
INSERT INTO decisions VALUES (14, 'rate', '0.0', 0, true);
INSERT INTO decisions VALUES (15, 'op', '1', 1, false);
INSERT INTO decisions VALUES (15, 'rate', '0.1', 0.1, true);
INSERT INTO decisions VALUES (16, 'op', '2', 2, false);
INSERT INTO decisions VALUES (16, 'rate', '0.2', 0.2, true);
INSERT INTO decisions VALUES (17, 'op', '3', 3, false);
INSERT INTO decisions VALUES (17, 'rate', '0.30000000000000004', 0.30000000000000004, true);
INSERT INTO decisions VALUES (18, 'op', '4', 4, false);
INSERT INTO decisions VALUES (18, 'rate', '0.4', 0.4, true);
INSERT INTO decisions VALUES (19, 'op', '5', 5, false);
INSERT INTO decisions VALUES (19, 'rate', '0.5', 0.5, true);
INSERT INTO decisions VALUES (20, 'op', '6', 6, false);
INSERT INTO decisions VALUES (20, 'rate', '0.6000000000000001', 0.6000000000000001, true);
INSERT INTO decisions VALUES (21, 'op', '7', 7, false);
INSERT INTO decisions VALUES (21, 'rate', '0.7000000000000001', 0.7000000000000001, true);

INSERT INTO events VALUES (1, 1, NULL, '2026-11-21T17:22:02.495445Z', 'parts', '{"duplicates": "reuse", "evaluator": ["Function"], "pruner": null, "strategy": "RegularizedEvolution"}');
INSERT INTO events VALUES (2, 2, NULL, '2026-11-21T17:22:02.867292Z', 'note', 'trial 6 is RUNNING and trial 7 WAITING for ever');
INSERT INTO events VALUES (3, 2, 15, '2026-11-21T17:22:02.877329Z', 'tag', '{"by": "someone@somewhere", "tag": "good"}');
INSERT INTO events VALUES (4, 2, 17, '2026-11-21T17:22:02.877329Z', 'tag', '{"by": "someone@somewhere", "tag": "good"}');
INSERT INTO events VALUES (5, 2, 19, '2026-11-21T17:22:02.880639Z', 'invalidate', '{"by": "someone@somewhere", "reason": "measured on another machine"}');

INSERT INTO metrics VALUES (1, 'validation', 'accuracy', 0.7244442401530138);
INSERT INTO metrics VALUES (1, '', 'params', 160);
INSERT INTO metrics VALUES (2, 'validation', 'accuracy', 0.9413125219369175);
INSERT INTO metrics VALUES (2, '', 'params', 160);
INSERT INTO metrics VALUES (4, 'validation', 'accuracy', 0.5326747153553903);
INSERT INTO metrics VALUES (4, '', 'params', 160);
INSERT INTO metrics VALUES (5, 'validation', 'accuracy', 0.9244442401530139);
INSERT INTO metrics VALUES (5, '', 'params', 160);
INSERT INTO metrics VALUES (6, 'validation', 'accuracy', 0.5244442401530138);
INSERT INTO metrics VALUES (6, '', 'params', 160);
INSERT INTO metrics VALUES (7, 'validation', 'accuracy', 0.591673858436784);
INSERT INTO metrics VALUES (7, '', 'params', 160);
INSERT INTO metrics VALUES (8, 'validation', 'accuracy', 0.5246790110827622);
INSERT INTO metrics VALUES (8, '', 'params', 160);
INSERT INTO metrics VALUES (9, '', 'params', 160);
INSERT INTO metrics VALUES (9, 'validation', 'accuracy', 0.5244442401530138);
INSERT INTO metrics VALUES (10, 'validation', 'accuracy', 0.5325069082108115);
INSERT INTO metrics VALUES (10, '', 'params', 160);
INSERT INTO metrics VALUES (11, 'validation', 'accuracy', 0.591673858436784);
INSERT INTO metrics VALUES (11, '', 'params', 320);
INSERT INTO metrics VALUES (12, 'validation', 'accuracy', 0.5139041939600001);
INSERT INTO metrics VALUES (12, '', 'params', 160);
INSERT INTO metrics VALUES (13, 'validation', 'accuracy', 0.9325069082108115);
INSERT INTO metrics VALUES (13, '', 'params', 160);
INSERT INTO metrics VALUES (15, '', 'loss', 2);
INSERT INTO metrics VALUES (15, 'test', 'loss', 2.5);
INSERT INTO metrics VALUES (14, '', 'loss', 3);
INSERT INTO metrics VALUES (16, '', 'loss', 2);
INSERT INTO metrics VALUES (17, '', 'loss', 8);
INSERT INTO metrics VALUES (18, '', 'loss', NULL);
INSERT INTO metrics VALUES (19, '', 'loss', 10);

INSERT INTO objectives VALUES (1, 0, 'accuracy', 'validation', 'maximize');
INSERT INTO objectives VALUES (1, 1, 'params', '', 'minimize');
INSERT INTO objectives VALUES (2, 0, 'loss', '', 'minimize');

INSERT INTO predictions VALUES (15, 'gp', '', 'loss', 2.25, 0.5, '2026-11-21T17:22:02.885343Z');
INSERT INTO predictions VALUES (21, 'gp', '', 'loss', 3, NULL, '2026-11-21T17:22:02.885366Z');
INSERT INTO predictions VALUES (1, 'gp', 'validation', 'accuracy', 0.75, 0.125, '2026-11-21T17:22:02.888491Z');

INSERT INTO revisions VALUES (1, 0, '2026-11-21T17:22:02.490993Z', 0, '{"decisions": [{"name": "op", "candidates": ["conv", "skip", "pool"]}, {"name": "width", "candidates": ["16", "32"]}, {"name": "lr", "low": 0.001, "high": 0.1, "scale": "linear"}], "template": {"op": {"oneof": ["conv", "skip", "pool"]}, "width": {"oneof": [16, 32]}, "lr": {"floatv": [0.001, 0.1], "scale": "linear"}}}', '171455dc140929742670', '{}', 'created');
INSERT INTO revisions VALUES (2, 0, '2026-11-21T17:22:02.835003Z', 0, '{}', '', '{"n": 1}', 'created');

INSERT INTO studies VALUES (1, 'two goals', 3, '2026-11-21T17:22:02.486761Z', '0.1.0', '{"decisions": [{"name": "op", "candidates": ["conv", "skip", "pool"]}, {"name": "width", "candidates": ["16", "32"]}, {"name": "lr", "low": 0.001, "high": 0.1, "scale": "linear"}], "template": {"op": {"oneof": ["conv", "skip", "pool"]}, "width": {"oneof": [16, 32]}, "lr": {"floatv": [0.001, 0.1], "scale": "linear"}}}', '171455dc140929742670', '{}', '["params <= 200"]', 'done', 'the budget of 12 evaluations is spent', 12, 'evaluations');
INSERT INTO studies VALUES (2, 'by hand; ''quoted''', 1, '2026-11-21T17:22:02.832466Z', '0.1.0', '{}', '', '{"n": 1}', '["loss <= 9"]', 'running', '', NULL, 'evaluations');

INSERT INTO tags VALUES (15, 'good');
INSERT INTO tags VALUES (17, 'good');

INSERT INTO trials VALUES (1, 1, 0, 'COMPLETE', 'ee8c7f0081b25b669ee3', 'op=pool, width=16, lr=0.02444424015301387', 0, 2699829998, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.545792Z', '2026-11-21T17:22:02.545792Z', '2026-11-21T17:22:02.570915Z', 0.025123, 0.7244442401530138, '', 0, 1, 0);
INSERT INTO trials VALUES (2, 1, 1, 'COMPLETE', '29b0cc8d6730e45c15f6', 'op=conv, width=16, lr=0.04131252193691749', 1, 3898584199, NULL, 0, true, NULL, '', '', '2026-11-21T17:22:02.576783Z', '2026-11-21T17:22:02.576783Z', '2026-11-21T17:22:02.588540Z', 0.011757, 0.9413125219369175, '', 1, 1, 0);
INSERT INTO trials VALUES (3, 1, 2, 'FAIL', '9c2e9c0a97bcd68934c6', 'op=pool, width=32, lr=0.07458743402199829', 2, 872096964, NULL, 0, false, NULL, 'ValueError: pool is too wide; no NUL here', 'Traceback (most recent call last):
  File "archloom/evaluation.py", line 75, in one
    metrics = _joined(metrics, evaluator, evaluator.evaluate(point, trial))
                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "archloom/evaluators/function.py", line 49, in evaluate
    result = self._call(architecture, trial=trial)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "make.py", line 14, in score
    raise ValueError("pool is too wide; no NUL here")
ValueError: pool is too wide; no NUL here
', '2026-11-21T17:22:02.593627Z', '2026-11-21T17:22:02.593627Z', '2026-11-21T17:22:02.604169Z', 0.010542, NULL, '', 2, 1, 0);
INSERT INTO trials VALUES (4, 1, 3, 'COMPLETE', '95f4f5b328914d300242', 'op=skip, width=16, lr=0.03267471535539036', 3, 4061260910, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.609542Z', '2026-11-21T17:22:02.609542Z', '2026-11-21T17:22:02.619278Z', 0.009736, 0.5326747153553903, '', 3, 1, 0);
INSERT INTO trials VALUES (5, 1, 4, 'COMPLETE', 'ff48b215ac32d3d4f8ba', 'op=conv, width=16, lr=0.02444424015301387', 4, 416398004, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.622477Z', '2026-11-21T17:22:02.622477Z', '2026-11-21T17:22:02.632558Z', 0.010081, 0.9244442401530139, '', 4, 1, 0);
INSERT INTO trials VALUES (6, 1, 5, 'COMPLETE', '6ced6ebae467a8b4d7e0', 'op=skip, width=16, lr=0.02444424015301387', 5, 3261479728, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.636143Z', '2026-11-21T17:22:02.636143Z', '2026-11-21T17:22:02.646545Z', 0.010402, 0.5244442401530138, '', 5, 1, 0);
INSERT INTO trials VALUES (7, 1, 6, 'COMPLETE', '21ab0e70321f2ed4317e', 'op=skip, width=16, lr=0.09167385843678397', 6, 1487501676, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.650721Z', '2026-11-21T17:22:02.650721Z', '2026-11-21T17:22:02.662038Z', 0.011317, 0.591673858436784, '', 6, 1, 0);
INSERT INTO trials VALUES (8, 1, 7, 'COMPLETE', 'fd6e2102eb59dfa99c74', 'op=skip, width=16, lr=0.02467901108276221', 7, 1889756337, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.665067Z', '2026-11-21T17:22:02.665067Z', '2026-11-21T17:22:02.676587Z', 0.01152, 0.5246790110827622, '', 7, 1, 0);
INSERT INTO trials VALUES (9, 1, 8, 'COMPLETE', '6ced6ebae467a8b4d7e0', 'op=skip, width=16, lr=0.02444424015301387', 8, 2659839916, NULL, 0, false, 5, '', '', '2026-11-21T17:22:02.680017Z', '2026-11-21T17:22:02.680017Z', '2026-11-21T17:22:02.698689Z', 0.018672, 0.5244442401530138, '', 8, 1, 0);
INSERT INTO trials VALUES (10, 1, 9, 'COMPLETE', 'dcbdab157ede46d474bc', 'op=skip, width=16, lr=0.032506908210811446', 9, 189218998, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.704700Z', '2026-11-21T17:22:02.704700Z', '2026-11-21T17:22:02.720432Z', 0.015732, 0.5325069082108115, '', 9, 1, 0);
INSERT INTO trials VALUES (11, 1, 10, 'COMPLETE', 'e4f5d7c6b517fd231146', 'op=skip, width=32, lr=0.09167385843678397', 10, 2451645111, NULL, 0.6, false, NULL, '', '', '2026-11-21T17:22:02.723071Z', '2026-11-21T17:22:02.723071Z', '2026-11-21T17:22:02.731835Z', 0.008764, 0.591673858436784, '', 10, 1, 0);
INSERT INTO trials VALUES (12, 1, 11, 'COMPLETE', 'd6696017b45deee29f65', 'op=skip, width=16, lr=0.013904193960000092', 11, 3013257635, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.734788Z', '2026-11-21T17:22:02.734788Z', '2026-11-21T17:22:02.801222Z', 0.066434, 0.5139041939600001, '', 11, 1, 0);
INSERT INTO trials VALUES (13, 1, 12, 'COMPLETE', '9c5056fb817c01165707', 'op=conv, width=16, lr=0.032506908210811446', 12, 2801458956, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.806459Z', '2026-11-21T17:22:02.806459Z', '2026-11-21T17:22:02.815345Z', 0.008886, 0.9325069082108115, '', 12, 1, 0);
INSERT INTO trials VALUES (21, 2, 7, 'WAITING', 'k7', 'op=7', 0, 7, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.836983Z', NULL, NULL, NULL, NULL, '', NULL, NULL, 0);
INSERT INTO trials VALUES (20, 2, 6, 'RUNNING', 'k6', 'op=6', 0, 6, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.836983Z', '2026-11-21T17:22:02.850692Z', NULL, NULL, NULL, '', NULL, 2, 0);
INSERT INTO trials VALUES (15, 2, 1, 'COMPLETE', 'k1', 'op=1', 0, 1, NULL, 0, true, NULL, '', '', '2026-11-21T17:22:02.836983Z', '2026-11-21T17:22:02.843298Z', '2026-11-21T17:22:02.855375Z', 0.012077, 2, '', 0, 2, 0);
INSERT INTO trials VALUES (14, 2, 0, 'COMPLETE', 'k0', 'op=0', 0, 0, NULL, 0, false, NULL, '', '', '2026-11-21T17:22:02.836983Z', '2026-11-21T17:22:02.839809Z', '2026-11-21T17:22:02.858187Z', 0.018378, 3, '', 1, 2, 0);
INSERT INTO trials VALUES (16, 2, 2, 'COMPLETE', 'k2', 'op=2', 0, 2, NULL, 0, false, 1, '', '', '2026-11-21T17:22:02.836983Z', '2026-11-21T17:22:02.845714Z', '2026-11-21T17:22:02.860047Z', 0.014333, 2, '', 2, 2, 0);
INSERT INTO trials VALUES (17, 2, 3, 'PRUNED', 'k3', 'op=3', 0, 3, NULL, 0, false, NULL, 'stopped early by the pruner', '', '2026-11-21T17:22:02.836983Z', '2026-11-21T17:22:02.847076Z', '2026-11-21T17:22:02.861892Z', 0.014816, 8, '', 3, 2, 0);
INSERT INTO trials VALUES (18, 2, 4, 'FAIL', 'k4', 'op=4', 0, 4, NULL, 0, false, NULL, 'ValueError: é', 'Traceback ...', '2026-11-21T17:22:02.836983Z', '2026-11-21T17:22:02.848188Z', '2026-11-21T17:22:02.863598Z', 0.01541, NULL, '', 4, 2, 0);
INSERT INTO trials VALUES (19, 2, 5, 'COMPLETE', 'k5', 'op=5', 0, 5, NULL, 1, false, NULL, '', '', '2026-11-21T17:22:02.836983Z', '2026-11-21T17:22:02.849345Z', '2026-11-21T17:22:02.865369Z', 0.016024, 10, 'invalid', 5, 2, 0);

INSERT INTO workers VALUES (1, 1, 'somewhere', 4711, 'boot pid:[1] 1', false, 1, 1, '2026-11-21T17:22:02.501733Z', '2026-11-21T17:22:02.503809Z', '2026-11-21T17:22:02.831087Z');
INSERT INTO workers VALUES (2, 2, 'somewhere', 4711, 'boot pid:[1] 1', false, 1, 0, '2026-11-21T17:22:02.839373Z', '2026-11-21T17:22:02.839373Z', '2026-11-21T17:22:02.889922Z');

SELECT pg_catalog.setval('events_id_seq', 5, true);

SELECT pg_catalog.setval('runs_id_seq', 1, false);

SELECT pg_catalog.setval('studies_id_seq', 2, true);

SELECT pg_catalog.setval('trials_id_seq', 21, true);

SELECT pg_catalog.setval('workers_id_seq', 2, true);

ALTER TABLE ONLY archloom_schema
    ADD CONSTRAINT archloom_schema_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY artifacts
    ADD CONSTRAINT pk_artifacts PRIMARY KEY (trial_id, name);

ALTER TABLE ONLY curves
    ADD CONSTRAINT pk_curves PRIMARY KEY (trial_id, split, name, step);

ALTER TABLE ONLY decisions
    ADD CONSTRAINT pk_decisions PRIMARY KEY (trial_id, name);

ALTER TABLE ONLY events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);

ALTER TABLE ONLY metrics
    ADD CONSTRAINT pk_metrics PRIMARY KEY (trial_id, split, name);

ALTER TABLE ONLY objectives
    ADD CONSTRAINT pk_objectives PRIMARY KEY (study_id, "position");

ALTER TABLE ONLY predictions
    ADD CONSTRAINT pk_predictions PRIMARY KEY (trial_id, predictor, split, name);

ALTER TABLE ONLY revisions
    ADD CONSTRAINT pk_revisions PRIMARY KEY (study_id, number);

ALTER TABLE ONLY run_metrics
    ADD CONSTRAINT pk_run_metrics PRIMARY KEY (run_id, split, name, step);

ALTER TABLE ONLY runs
    ADD CONSTRAINT pk_runs PRIMARY KEY (id);

ALTER TABLE ONLY studies
    ADD CONSTRAINT pk_studies PRIMARY KEY (id);

ALTER TABLE ONLY tags
    ADD CONSTRAINT pk_tags PRIMARY KEY (trial_id, tag);

ALTER TABLE ONLY trials
    ADD CONSTRAINT pk_trials PRIMARY KEY (id);

ALTER TABLE ONLY workers
    ADD CONSTRAINT pk_workers PRIMARY KEY (id);

ALTER TABLE ONLY objectives
    ADD CONSTRAINT uq_objectives_study_id_split_metric UNIQUE (study_id, split, metric);

ALTER TABLE ONLY runs
    ADD CONSTRAINT uq_runs_study_id_name UNIQUE (study_id, name);

ALTER TABLE ONLY studies
    ADD CONSTRAINT uq_studies_name UNIQUE (name);

ALTER TABLE ONLY trials
    ADD CONSTRAINT uq_trials_study_id_number UNIQUE (study_id, number);

CREATE INDEX ix_events_study_id ON events USING btree (study_id);

CREATE INDEX ix_events_trial_id ON events USING btree (trial_id);

CREATE INDEX ix_trials_best ON trials USING btree (study_id, value) WHERE ((state = 'COMPLETE'::text) AND (violation = (0)::double precision) AND (excluded = ''::text));

CREATE INDEX ix_trials_front ON trials USING btree (study_id, is_pareto, number) WHERE (is_pareto = true);

CREATE INDEX ix_trials_open ON trials USING btree (study_id, state, number) WHERE (finished_at IS NULL);

CREATE INDEX ix_trials_study_id_key ON trials USING btree (study_id, key);

CREATE INDEX ix_trials_study_id_reused_from ON trials USING btree (study_id, reused_from) WHERE (reused_from IS NOT NULL);

CREATE INDEX ix_workers_study_id ON workers USING btree (study_id);

CREATE UNIQUE INDEX uq_trials_finish_order ON trials USING btree (study_id, finish_order) WHERE (finish_order IS NOT NULL);

CREATE UNIQUE INDEX uq_workers_proposer ON workers USING btree (study_id) WHERE (is_proposer = true);

ALTER TABLE ONLY artifacts
    ADD CONSTRAINT fk_artifacts_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

ALTER TABLE ONLY curves
    ADD CONSTRAINT fk_curves_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

ALTER TABLE ONLY decisions
    ADD CONSTRAINT fk_decisions_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

ALTER TABLE ONLY events
    ADD CONSTRAINT fk_events_study_id FOREIGN KEY (study_id) REFERENCES studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY events
    ADD CONSTRAINT fk_events_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

ALTER TABLE ONLY metrics
    ADD CONSTRAINT fk_metrics_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

ALTER TABLE ONLY objectives
    ADD CONSTRAINT fk_objectives_study_id FOREIGN KEY (study_id) REFERENCES studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY predictions
    ADD CONSTRAINT fk_predictions_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

ALTER TABLE ONLY revisions
    ADD CONSTRAINT fk_revisions_study_id FOREIGN KEY (study_id) REFERENCES studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY run_metrics
    ADD CONSTRAINT fk_run_metrics_run_id FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY runs
    ADD CONSTRAINT fk_runs_study_id FOREIGN KEY (study_id) REFERENCES studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY runs
    ADD CONSTRAINT fk_runs_worker_id FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE SET NULL;

ALTER TABLE ONLY tags
    ADD CONSTRAINT fk_tags_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

ALTER TABLE ONLY trials
    ADD CONSTRAINT fk_trials_study_id FOREIGN KEY (study_id) REFERENCES studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY trials
    ADD CONSTRAINT fk_trials_study_id_reused_from FOREIGN KEY (study_id, reused_from) REFERENCES trials(study_id, number);

ALTER TABLE ONLY trials
    ADD CONSTRAINT fk_trials_worker_id FOREIGN KEY (worker_id) REFERENCES workers(id) ON DELETE SET NULL;

ALTER TABLE ONLY workers
    ADD CONSTRAINT fk_workers_study_id FOREIGN KEY (study_id) REFERENCES studies(id) ON DELETE CASCADE;
