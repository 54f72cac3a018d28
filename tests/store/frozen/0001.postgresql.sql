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
    name text NOT NULL,
    step integer,
    split text NOT NULL,
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
    CONSTRAINT ck_trials_finished_at CHECK (((state = ANY (ARRAY['WAITING'::text, 'RUNNING'::text])) = (finished_at IS NULL))),
    CONSTRAINT ck_trials_is_pareto CHECK (((NOT is_pareto) OR ((state = 'COMPLETE'::text) AND (violation = (0)::double precision)))),
    CONSTRAINT ck_trials_number CHECK ((number >= 0)),
    CONSTRAINT ck_trials_reused_from CHECK ((reused_from <> number)),
    CONSTRAINT ck_trials_seconds CHECK (((finished_at IS NULL) = (seconds IS NULL))),
    CONSTRAINT ck_trials_started_at CHECK (((state = 'WAITING'::text) = (started_at IS NULL))),
    CONSTRAINT ck_trials_state CHECK ((state = ANY (ARRAY['WAITING'::text, 'RUNNING'::text, 'COMPLETE'::text, 'PRUNED'::text, 'FAIL'::text]))),
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
                  WHERE ((metrics.trial_id = t.id) AND (metrics.step IS NULL))) labelled) AS metrics,
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
     JOIN metrics m ON (((m.trial_id = t.id) AND (m.name = o.metric) AND (m.split = o.split) AND (m.step IS NULL))))
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

CREATE SEQUENCE studies_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE studies_id_seq OWNED BY studies.id;

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
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = ''::text) AND (metrics.name = 'loss'::text) AND (metrics.step IS NULL))) AS loss,
    ( SELECT metrics.value
           FROM metrics
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = 'test'::text) AND (metrics.name = 'loss'::text) AND (metrics.step IS NULL))) AS "test/loss",
    trials.seconds,
    trials.violation,
    trials.is_pareto,
    trials.reused_from,
    trials.fidelity,
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
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = ''::text) AND (metrics.name = 'params'::text) AND (metrics.step IS NULL))) AS params,
    ( SELECT metrics.value
           FROM metrics
          WHERE ((metrics.trial_id = trials.id) AND (metrics.split = 'validation'::text) AND (metrics.name = 'accuracy'::text) AND (metrics.step IS NULL))) AS accuracy,
    trials.seconds,
    trials.violation,
    trials.is_pareto,
    trials.reused_from,
    trials.fidelity,
    trials.reason,
    trials.finished_at
   FROM trials
  WHERE (trials.study_id = 1)
  ORDER BY trials.number;

ALTER TABLE ONLY events ALTER COLUMN id SET DEFAULT nextval('events_id_seq'::regclass);

ALTER TABLE ONLY studies ALTER COLUMN id SET DEFAULT nextval('studies_id_seq'::regclass);

ALTER TABLE ONLY trials ALTER COLUMN id SET DEFAULT nextval('trials_id_seq'::regclass);

INSERT INTO archloom_schema VALUES ('0001');

INSERT INTO artifacts VALUES (15, 'weights.safetensors', '/nowhere/w');

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

INSERT INTO events VALUES (1, 2, NULL, '2026-11-21T15:23:51.754110+00:00', 'note', 'trial 6 is RUNNING and trial 7 WAITING for ever');

INSERT INTO metrics VALUES (1, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (1, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (1, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (1, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (1, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (1, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (1, 'accuracy', NULL, 'validation', 0.7244442401530138);
INSERT INTO metrics VALUES (1, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (2, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (2, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (2, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (2, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (2, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (2, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (2, 'accuracy', NULL, 'validation', 0.9413125219369175);
INSERT INTO metrics VALUES (2, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (3, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (3, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (3, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (3, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (3, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (3, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (4, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (4, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (4, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (4, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (4, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (4, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (4, 'accuracy', NULL, 'validation', 0.5326747153553903);
INSERT INTO metrics VALUES (4, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (5, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (5, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (5, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (5, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (5, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (5, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (5, 'accuracy', NULL, 'validation', 0.9244442401530139);
INSERT INTO metrics VALUES (5, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (6, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (6, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (6, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (6, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (6, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (6, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (6, 'accuracy', NULL, 'validation', 0.5244442401530138);
INSERT INTO metrics VALUES (6, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (7, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (7, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (7, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (7, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (7, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (7, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (7, 'accuracy', NULL, 'validation', 0.591673858436784);
INSERT INTO metrics VALUES (7, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (8, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (8, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (8, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (8, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (8, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (8, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (8, 'accuracy', NULL, 'validation', 0.5246790110827622);
INSERT INTO metrics VALUES (8, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (9, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (9, 'accuracy', NULL, 'validation', 0.5244442401530138);
INSERT INTO metrics VALUES (10, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (10, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (10, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (10, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (10, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (10, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (10, 'accuracy', NULL, 'validation', 0.5325069082108115);
INSERT INTO metrics VALUES (10, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (11, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (11, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (11, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (11, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (11, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (11, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (11, 'accuracy', NULL, 'validation', 0.591673858436784);
INSERT INTO metrics VALUES (11, 'params', NULL, '', 320);
INSERT INTO metrics VALUES (12, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (12, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (12, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (12, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (12, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (12, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (12, 'accuracy', NULL, 'validation', 0.5139041939600001);
INSERT INTO metrics VALUES (12, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (13, 'accuracy', 0, 'validation', 0.5);
INSERT INTO metrics VALUES (13, 'loss', 0, 'train', 1);
INSERT INTO metrics VALUES (13, 'accuracy', 1, 'validation', 0.6);
INSERT INTO metrics VALUES (13, 'loss', 1, 'train', 0.5);
INSERT INTO metrics VALUES (13, 'accuracy', 2, 'validation', 0.7);
INSERT INTO metrics VALUES (13, 'loss', 2, 'train', 0.3333333333333333);
INSERT INTO metrics VALUES (13, 'accuracy', NULL, 'validation', 0.9325069082108115);
INSERT INTO metrics VALUES (13, 'params', NULL, '', 160);
INSERT INTO metrics VALUES (14, 'loss', 0, '', 5);
INSERT INTO metrics VALUES (14, 'loss', 1, '', 'Infinity');
INSERT INTO metrics VALUES (15, 'loss', NULL, '', 2);
INSERT INTO metrics VALUES (15, 'loss', NULL, 'test', 2.5);
INSERT INTO metrics VALUES (14, 'loss', NULL, '', 3);
INSERT INTO metrics VALUES (16, 'loss', NULL, '', 2);
INSERT INTO metrics VALUES (17, 'loss', NULL, '', 8);
INSERT INTO metrics VALUES (18, 'loss', NULL, '', NULL);
INSERT INTO metrics VALUES (19, 'loss', NULL, '', 10);
INSERT INTO metrics VALUES (20, 'loss', 0, '', 4);

INSERT INTO objectives VALUES (1, 0, 'accuracy', 'validation', 'maximize');
INSERT INTO objectives VALUES (1, 1, 'params', '', 'minimize');
INSERT INTO objectives VALUES (2, 0, 'loss', '', 'minimize');

INSERT INTO studies VALUES (1, 'two goals', 3, '2026-11-21T15:23:51.353933+00:00', '0.1.0', '{"decisions": [{"name": "op", "candidates": ["conv", "skip", "pool"]}, {"name": "width", "candidates": ["16", "32"]}, {"name": "lr", "low": 0.001, "high": 0.1, "scale": "linear"}], "template": {"op": {"oneof": ["conv", "skip", "pool"]}, "width": {"oneof": [16, 32]}, "lr": {"floatv": [0.001, 0.1], "scale": "linear"}}}', '171455dc1409297426704d87d3729c78', '{}', '["params <= 200"]', 'done', 'the budget of 12 evaluations is spent');
INSERT INTO studies VALUES (2, 'by hand; ''quoted''', 1, '2026-11-21T15:23:51.709960+00:00', '0.1.0', '{}', '', '{"n": 1}', '["loss <= 9"]', 'running', '');

INSERT INTO trials VALUES (1, 1, 0, 'COMPLETE', 'ee8c7f0081b25b669ee38855a6ac1a1f', 'op=pool, width=16, lr=0.02444424015301387', 0, 2699829998, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.391111+00:00', '2026-11-21T15:23:51.391111+00:00', '2026-11-21T15:23:51.436666+00:00', 0.045555);
INSERT INTO trials VALUES (2, 1, 1, 'COMPLETE', '29b0cc8d6730e45c15f6bbe2477eb863', 'op=conv, width=16, lr=0.04131252193691749', 1, 3898584199, NULL, 0, true, NULL, '', '', '2026-11-21T15:23:51.443039+00:00', '2026-11-21T15:23:51.443039+00:00', '2026-11-21T15:23:51.474557+00:00', 0.031518);
INSERT INTO trials VALUES (3, 1, 2, 'FAIL', '9c2e9c0a97bcd68934c662cd8334dd53', 'op=pool, width=32, lr=0.07458743402199829', 2, 872096964, NULL, 0, false, NULL, 'ValueError: pool is too wide; no NUL here', 'Traceback (most recent call last):
  File "archloom/evaluation.py", line 71, in __call__
    metrics = _joined(metrics, evaluator, evaluator.evaluate(point, trial))
                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "archloom/evaluators/function.py", line 49, in evaluate
    result = self._call(architecture, trial=trial)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "make.py", line 14, in score
    raise ValueError("pool is too wide; no NUL here")
ValueError: pool is too wide; no NUL here
', '2026-11-21T15:23:51.477851+00:00', '2026-11-21T15:23:51.477851+00:00', '2026-11-21T15:23:51.499902+00:00', 0.022051);
INSERT INTO trials VALUES (4, 1, 3, 'COMPLETE', '95f4f5b328914d300242597a75d5ea3c', 'op=skip, width=16, lr=0.03267471535539036', 3, 4061260910, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.503751+00:00', '2026-11-21T15:23:51.503751+00:00', '2026-11-21T15:23:51.519777+00:00', 0.016026);
INSERT INTO trials VALUES (5, 1, 4, 'COMPLETE', 'ff48b215ac32d3d4f8ba265ae1e7c174', 'op=conv, width=16, lr=0.02444424015301387', 4, 416398004, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.523000+00:00', '2026-11-21T15:23:51.523000+00:00', '2026-11-21T15:23:51.538804+00:00', 0.015804);
INSERT INTO trials VALUES (6, 1, 5, 'COMPLETE', '6ced6ebae467a8b4d7e06e4cc24d2217', 'op=skip, width=16, lr=0.02444424015301387', 5, 3261479728, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.543373+00:00', '2026-11-21T15:23:51.543373+00:00', '2026-11-21T15:23:51.559490+00:00', 0.016117);
INSERT INTO trials VALUES (7, 1, 6, 'COMPLETE', '21ab0e70321f2ed4317eb7920587bc9e', 'op=skip, width=16, lr=0.09167385843678397', 6, 1487501676, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.563487+00:00', '2026-11-21T15:23:51.563487+00:00', '2026-11-21T15:23:51.581272+00:00', 0.017785);
INSERT INTO trials VALUES (8, 1, 7, 'COMPLETE', 'fd6e2102eb59dfa99c74050c5c8bf272', 'op=skip, width=16, lr=0.02467901108276221', 7, 1889756337, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.584892+00:00', '2026-11-21T15:23:51.584892+00:00', '2026-11-21T15:23:51.598760+00:00', 0.013868);
INSERT INTO trials VALUES (9, 1, 8, 'COMPLETE', '6ced6ebae467a8b4d7e06e4cc24d2217', 'op=skip, width=16, lr=0.02444424015301387', 8, 2659839916, NULL, 0, false, 5, '', '', '2026-11-21T15:23:51.601389+00:00', '2026-11-21T15:23:51.601389+00:00', '2026-11-21T15:23:51.614347+00:00', 0.012958);
INSERT INTO trials VALUES (10, 1, 9, 'COMPLETE', 'dcbdab157ede46d474bcadd7e15971c0', 'op=skip, width=16, lr=0.032506908210811446', 9, 189218998, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.617999+00:00', '2026-11-21T15:23:51.617999+00:00', '2026-11-21T15:23:51.634319+00:00', 0.01632);
INSERT INTO trials VALUES (11, 1, 10, 'COMPLETE', 'e4f5d7c6b517fd23114636397fe9d1f3', 'op=skip, width=32, lr=0.09167385843678397', 10, 2451645111, NULL, 0.6, false, NULL, '', '', '2026-11-21T15:23:51.637195+00:00', '2026-11-21T15:23:51.637195+00:00', '2026-11-21T15:23:51.653224+00:00', 0.016029);
INSERT INTO trials VALUES (12, 1, 11, 'COMPLETE', 'd6696017b45deee29f658c4de0c86b3f', 'op=skip, width=16, lr=0.013904193960000092', 11, 3013257635, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.656428+00:00', '2026-11-21T15:23:51.656428+00:00', '2026-11-21T15:23:51.672638+00:00', 0.01621);
INSERT INTO trials VALUES (13, 1, 12, 'COMPLETE', '9c5056fb817c011657070c3bfd6f0dbd', 'op=conv, width=16, lr=0.032506908210811446', 12, 2801458956, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.676736+00:00', '2026-11-21T15:23:51.676736+00:00', '2026-11-21T15:23:51.693375+00:00', 0.016639);
INSERT INTO trials VALUES (15, 2, 1, 'COMPLETE', 'k1', 'op=1', 0, 1, NULL, 0, true, NULL, '', '', '2026-11-21T15:23:51.716190+00:00', '2026-11-21T15:23:51.723574+00:00', '2026-11-21T15:23:51.739365+00:00', 0.015791);
INSERT INTO trials VALUES (14, 2, 0, 'COMPLETE', 'k0', 'op=0', 0, 0, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.716190+00:00', '2026-11-21T15:23:51.720924+00:00', '2026-11-21T15:23:51.742522+00:00', 0.021598);
INSERT INTO trials VALUES (16, 2, 2, 'COMPLETE', 'k2', 'op=2', 0, 2, NULL, 0, false, 1, '', '', '2026-11-21T15:23:51.716190+00:00', '2026-11-21T15:23:51.725422+00:00', '2026-11-21T15:23:51.744978+00:00', 0.019556);
INSERT INTO trials VALUES (17, 2, 3, 'PRUNED', 'k3', 'op=3', 0, 3, NULL, 0, false, NULL, 'stopped early by the pruner', '', '2026-11-21T15:23:51.716190+00:00', '2026-11-21T15:23:51.727167+00:00', '2026-11-21T15:23:51.747250+00:00', 0.020083);
INSERT INTO trials VALUES (18, 2, 4, 'FAIL', 'k4', 'op=4', 0, 4, NULL, 0, false, NULL, 'ValueError: é', 'Traceback ...', '2026-11-21T15:23:51.716190+00:00', '2026-11-21T15:23:51.728787+00:00', '2026-11-21T15:23:51.749339+00:00', 0.020552);
INSERT INTO trials VALUES (19, 2, 5, 'COMPLETE', 'k5', 'op=5', 0, 5, NULL, 1, false, NULL, '', '', '2026-11-21T15:23:51.716190+00:00', '2026-11-21T15:23:51.730718+00:00', '2026-11-21T15:23:51.751201+00:00', 0.020483);
INSERT INTO trials VALUES (21, 2, 7, 'WAITING', 'k7', 'op=7', 0, 7, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.716190+00:00', NULL, NULL, NULL);
INSERT INTO trials VALUES (20, 2, 6, 'RUNNING', 'k6', 'op=6', 0, 6, NULL, 0, false, NULL, '', '', '2026-11-21T15:23:51.716190+00:00', '2026-11-21T15:23:51.732582+00:00', NULL, NULL);

SELECT pg_catalog.setval('events_id_seq', 1, true);

SELECT pg_catalog.setval('studies_id_seq', 2, true);

SELECT pg_catalog.setval('trials_id_seq', 21, true);

ALTER TABLE ONLY archloom_schema
    ADD CONSTRAINT archloom_schema_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY artifacts
    ADD CONSTRAINT pk_artifacts PRIMARY KEY (trial_id, name);

ALTER TABLE ONLY decisions
    ADD CONSTRAINT pk_decisions PRIMARY KEY (trial_id, name);

ALTER TABLE ONLY events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);

ALTER TABLE ONLY objectives
    ADD CONSTRAINT pk_objectives PRIMARY KEY (study_id, "position");

ALTER TABLE ONLY studies
    ADD CONSTRAINT pk_studies PRIMARY KEY (id);

ALTER TABLE ONLY trials
    ADD CONSTRAINT pk_trials PRIMARY KEY (id);

ALTER TABLE ONLY objectives
    ADD CONSTRAINT uq_objectives_study_id_split_metric UNIQUE (study_id, split, metric);

ALTER TABLE ONLY studies
    ADD CONSTRAINT uq_studies_name UNIQUE (name);

ALTER TABLE ONLY trials
    ADD CONSTRAINT uq_trials_study_id_number UNIQUE (study_id, number);

CREATE INDEX ix_events_study_id ON events USING btree (study_id);

CREATE INDEX ix_events_trial_id ON events USING btree (trial_id);

CREATE INDEX ix_trials_front ON trials USING btree (study_id, is_pareto, number) WHERE (is_pareto = true);

CREATE INDEX ix_trials_open ON trials USING btree (study_id, state, number) WHERE (finished_at IS NULL);

CREATE INDEX ix_trials_study_id_key ON trials USING btree (study_id, key);

CREATE INDEX ix_trials_study_id_reused_from ON trials USING btree (study_id, reused_from) WHERE (reused_from IS NOT NULL);

CREATE UNIQUE INDEX uq_metrics_final ON metrics USING btree (trial_id, split, name) WHERE (step IS NULL);

CREATE UNIQUE INDEX uq_metrics_step ON metrics USING btree (trial_id, split, name, step) WHERE (step IS NOT NULL);

ALTER TABLE ONLY artifacts
    ADD CONSTRAINT fk_artifacts_trial_id FOREIGN KEY (trial_id) REFERENCES trials(id) ON DELETE CASCADE;

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

ALTER TABLE ONLY trials
    ADD CONSTRAINT fk_trials_study_id FOREIGN KEY (study_id) REFERENCES studies(id) ON DELETE CASCADE;

ALTER TABLE ONLY trials
    ADD CONSTRAINT fk_trials_study_id_reused_from FOREIGN KEY (study_id, reused_from) REFERENCES trials(study_id, number);
