BEGIN TRANSACTION;
CREATE TABLE archloom_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT archloom_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "archloom_schema" VALUES('0002');
CREATE TABLE artifacts (
	trial_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	path TEXT NOT NULL, 
	CONSTRAINT pk_artifacts PRIMARY KEY (trial_id, name), 
	CONSTRAINT fk_artifacts_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "artifacts" VALUES(15,'weights.safetensors','/nowhere/w');
CREATE TABLE curves (
	trial_id INTEGER NOT NULL, 
	split TEXT NOT NULL, 
	name TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	value DOUBLE, 
	CONSTRAINT pk_curves PRIMARY KEY (trial_id, split, name, step), 
	CONSTRAINT ck_curves_name CHECK (name <> ''), 
	CONSTRAINT ck_curves_split CHECK (split IN ('', 'train', 'validation', 'test')), 
	CONSTRAINT fk_curves_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "curves" VALUES(1,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(1,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(1,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(1,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(1,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(1,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(2,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(2,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(2,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(2,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(2,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(2,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(3,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(3,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(3,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(3,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(3,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(3,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(4,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(4,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(4,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(4,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(4,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(4,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(5,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(5,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(5,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(5,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(5,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(5,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(6,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(6,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(6,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(6,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(6,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(6,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(7,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(7,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(7,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(7,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(7,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(7,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(8,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(8,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(8,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(8,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(8,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(8,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(10,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(10,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(10,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(10,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(10,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(10,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(11,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(11,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(11,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(11,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(11,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(11,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(12,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(12,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(12,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(12,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(12,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(12,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(13,'train','loss',0,1.0);
INSERT INTO "curves" VALUES(13,'train','loss',1,0.5);
INSERT INTO "curves" VALUES(13,'train','loss',2,3.33333333333333314829e-01);
INSERT INTO "curves" VALUES(13,'validation','accuracy',0,0.5);
INSERT INTO "curves" VALUES(13,'validation','accuracy',1,0.6);
INSERT INTO "curves" VALUES(13,'validation','accuracy',2,0.7);
INSERT INTO "curves" VALUES(14,'','loss',0,5.0);
INSERT INTO "curves" VALUES(14,'','loss',1,9e999);
INSERT INTO "curves" VALUES(20,'','loss',0,4.0);
CREATE TABLE decisions (
	trial_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	choice TEXT NOT NULL, 
	value DOUBLE, 
	is_float BOOLEAN NOT NULL, 
	CONSTRAINT pk_decisions PRIMARY KEY (trial_id, name), 
	CONSTRAINT ck_decisions_is_float CHECK (NOT is_float OR value IS NOT NULL), 
	CONSTRAINT fk_decisions_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "decisions" VALUES(1,'lr','0.02444424015301387',2.44442401530138714305e-02,1);
INSERT INTO "decisions" VALUES(1,'op','pool',NULL,0);
INSERT INTO "decisions" VALUES(1,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(2,'lr','0.04131252193691749',4.13125219369174928596e-02,1);
INSERT INTO "decisions" VALUES(2,'op','conv',NULL,0);
INSERT INTO "decisions" VALUES(2,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(3,'lr','0.07458743402199829',7.45874340219982862043e-02,1);
INSERT INTO "decisions" VALUES(3,'op','pool',NULL,0);
INSERT INTO "decisions" VALUES(3,'width','32',32.0,0);
INSERT INTO "decisions" VALUES(4,'lr','0.03267471535539036',3.26747153553903629807e-02,1);
INSERT INTO "decisions" VALUES(4,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(4,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(5,'lr','0.02444424015301387',2.44442401530138714305e-02,1);
INSERT INTO "decisions" VALUES(5,'op','conv',NULL,0);
INSERT INTO "decisions" VALUES(5,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(6,'lr','0.02444424015301387',2.44442401530138714305e-02,1);
INSERT INTO "decisions" VALUES(6,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(6,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(7,'lr','0.09167385843678397',9.1673858436783967063e-02,1);
INSERT INTO "decisions" VALUES(7,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(7,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(8,'lr','0.02467901108276221',2.46790110827622109768e-02,1);
INSERT INTO "decisions" VALUES(8,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(8,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(9,'lr','0.02444424015301387',2.44442401530138714305e-02,1);
INSERT INTO "decisions" VALUES(9,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(9,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(10,'lr','0.032506908210811446',3.25069082108114457141e-02,1);
INSERT INTO "decisions" VALUES(10,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(10,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(11,'lr','0.09167385843678397',9.1673858436783967063e-02,1);
INSERT INTO "decisions" VALUES(11,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(11,'width','32',32.0,0);
INSERT INTO "decisions" VALUES(12,'lr','0.013904193960000092',1.39041939600000920285e-02,1);
INSERT INTO "decisions" VALUES(12,'op','skip',NULL,0);
INSERT INTO "decisions" VALUES(12,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(13,'lr','0.032506908210811446',3.25069082108114457141e-02,1);
INSERT INTO "decisions" VALUES(13,'op','conv',NULL,0);
INSERT INTO "decisions" VALUES(13,'width','16',16.0,0);
INSERT INTO "decisions" VALUES(14,'op','0',0.0,0);
INSERT INTO "decisions" VALUES(14,'rate','0.0',0.0,1);
INSERT INTO "decisions" VALUES(15,'op','1',1.0,0);
INSERT INTO "decisions" VALUES(15,'rate','0.1',0.1,1);
INSERT INTO "decisions" VALUES(16,'op','2',2.0,0);
INSERT INTO "decisions" VALUES(16,'rate','0.2',0.2,1);
INSERT INTO "decisions" VALUES(17,'op','3',3.0,0);
INSERT INTO "decisions" VALUES(17,'rate','0.30000000000000004',3.00000000000000044408e-01,1);
INSERT INTO "decisions" VALUES(18,'op','4',4.0,0);
INSERT INTO "decisions" VALUES(18,'rate','0.4',0.4,1);
INSERT INTO "decisions" VALUES(19,'op','5',5.0,0);
INSERT INTO "decisions" VALUES(19,'rate','0.5',0.5,1);
INSERT INTO "decisions" VALUES(20,'op','6',6.0,0);
INSERT INTO "decisions" VALUES(20,'rate','0.6000000000000001',6.00000000000000088817e-01,1);
INSERT INTO "decisions" VALUES(21,'op','7',7.0,0);
INSERT INTO "decisions" VALUES(21,'rate','0.7000000000000001',7.00000000000000066613e-01,1);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	at TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id), 
	CONSTRAINT fk_events_study_id FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE, 
	CONSTRAINT fk_events_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
);
INSERT INTO "events" VALUES(1,1,NULL,'2026-11-21T17:22:00.349011Z','parts','{"duplicates": "reuse", "evaluator": ["Function"], "pruner": null, "strategy": "RegularizedEvolution"}');
INSERT INTO "events" VALUES(2,2,NULL,'2026-11-21T17:22:00.536320Z','note','trial 6 is RUNNING and trial 7 WAITING for ever');
INSERT INTO "events" VALUES(3,2,15,'2026-11-21T17:22:00.542387Z','tag','{"by": "someone@somewhere", "tag": "good"}');
INSERT INTO "events" VALUES(4,2,17,'2026-11-21T17:22:00.542387Z','tag','{"by": "someone@somewhere", "tag": "good"}');
INSERT INTO "events" VALUES(5,2,19,'2026-11-21T17:22:00.544478Z','invalidate','{"by": "someone@somewhere", "reason": "measured on another machine"}');
CREATE TABLE metrics (
	trial_id INTEGER NOT NULL, 
	split TEXT NOT NULL, 
	name TEXT NOT NULL, 
	value DOUBLE, 
	CONSTRAINT pk_metrics PRIMARY KEY (trial_id, split, name), 
	CONSTRAINT ck_metrics_name CHECK (name <> ''), 
	CONSTRAINT ck_metrics_split CHECK (split IN ('', 'train', 'validation', 'test')), 
	CONSTRAINT fk_metrics_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "metrics" VALUES(1,'','params',160.0);
INSERT INTO "metrics" VALUES(1,'validation','accuracy',7.24444240153013785388e-01);
INSERT INTO "metrics" VALUES(2,'','params',160.0);
INSERT INTO "metrics" VALUES(2,'validation','accuracy',9.41312521936917501186e-01);
INSERT INTO "metrics" VALUES(4,'','params',160.0);
INSERT INTO "metrics" VALUES(4,'validation','accuracy',5.32674715355390349103e-01);
INSERT INTO "metrics" VALUES(5,'','params',160.0);
INSERT INTO "metrics" VALUES(5,'validation','accuracy',9.24444240153013852001e-01);
INSERT INTO "metrics" VALUES(6,'','params',160.0);
INSERT INTO "metrics" VALUES(6,'validation','accuracy',5.24444240153013829797e-01);
INSERT INTO "metrics" VALUES(7,'','params',160.0);
INSERT INTO "metrics" VALUES(7,'validation','accuracy',0.591673858436784);
INSERT INTO "metrics" VALUES(8,'','params',160.0);
INSERT INTO "metrics" VALUES(8,'validation','accuracy',5.24679011082762158935e-01);
INSERT INTO "metrics" VALUES(9,'','params',160.0);
INSERT INTO "metrics" VALUES(9,'validation','accuracy',5.24444240153013829797e-01);
INSERT INTO "metrics" VALUES(10,'','params',160.0);
INSERT INTO "metrics" VALUES(10,'validation','accuracy',5.32506908210811480408e-01);
INSERT INTO "metrics" VALUES(11,'','params',320.0);
INSERT INTO "metrics" VALUES(11,'validation','accuracy',0.591673858436784);
INSERT INTO "metrics" VALUES(12,'','params',160.0);
INSERT INTO "metrics" VALUES(12,'validation','accuracy',5.13904193960000088559e-01);
INSERT INTO "metrics" VALUES(13,'','params',160.0);
INSERT INTO "metrics" VALUES(13,'validation','accuracy',9.32506908210811502613e-01);
INSERT INTO "metrics" VALUES(14,'','loss',3.0);
INSERT INTO "metrics" VALUES(15,'','loss',2.0);
INSERT INTO "metrics" VALUES(15,'test','loss',2.5);
INSERT INTO "metrics" VALUES(16,'','loss',2.0);
INSERT INTO "metrics" VALUES(17,'','loss',8.0);
INSERT INTO "metrics" VALUES(18,'','loss',NULL);
INSERT INTO "metrics" VALUES(19,'','loss',10.0);
CREATE TABLE objectives (
	study_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	metric TEXT NOT NULL, 
	split TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	CONSTRAINT pk_objectives PRIMARY KEY (study_id, position), 
	CONSTRAINT uq_objectives_study_id_split_metric UNIQUE (study_id, split, metric), 
	CONSTRAINT ck_objectives_position CHECK (position >= 0), 
	CONSTRAINT ck_objectives_split CHECK (split IN ('', 'train', 'validation', 'test')), 
	CONSTRAINT ck_objectives_direction CHECK (direction IN ('maximize', 'minimize')), 
	CONSTRAINT fk_objectives_study_id FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "objectives" VALUES(1,0,'accuracy','validation','maximize');
INSERT INTO "objectives" VALUES(1,1,'params','','minimize');
INSERT INTO "objectives" VALUES(2,0,'loss','','minimize');
CREATE TABLE predictions (
	trial_id INTEGER NOT NULL, 
	predictor TEXT NOT NULL, 
	split TEXT NOT NULL, 
	name TEXT NOT NULL, 
	mean DOUBLE NOT NULL, 
	std DOUBLE, 
	at TEXT NOT NULL, 
	CONSTRAINT pk_predictions PRIMARY KEY (trial_id, predictor, split, name), 
	CONSTRAINT ck_predictions_split CHECK (split IN ('', 'train', 'validation', 'test')), 
	CONSTRAINT ck_predictions_std CHECK (std >= 0), 
	CONSTRAINT fk_predictions_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "predictions" VALUES(1,'gp','validation','accuracy',0.75,0.125,'2026-11-21T17:22:00.553446Z');
INSERT INTO "predictions" VALUES(15,'gp','','loss',2.25,0.5,'2026-11-21T17:22:00.550013Z');
INSERT INTO "predictions" VALUES(21,'gp','','loss',3.0,NULL,'2026-11-21T17:22:00.550037Z');
CREATE TABLE revisions (
	study_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	first_trial INTEGER NOT NULL, 
	space TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	config TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_revisions PRIMARY KEY (study_id, number), 
	CONSTRAINT ck_revisions_number CHECK (number >= 0), 
	CONSTRAINT fk_revisions_study_id FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "revisions" VALUES(1,0,'2026-11-21T17:22:00.343377Z',0,'{"decisions": [{"name": "op", "candidates": ["conv", "skip", "pool"]}, {"name": "width", "candidates": ["16", "32"]}, {"name": "lr", "low": 0.001, "high": 0.1, "scale": "linear"}], "template": {"op": {"oneof": ["conv", "skip", "pool"]}, "width": {"oneof": [16, 32]}, "lr": {"floatv": [0.001, 0.1], "scale": "linear"}}}','171455dc140929742670','{}','created');
INSERT INTO "revisions" VALUES(2,0,'2026-11-21T17:22:00.523219Z',0,'{}','','{"n": 1}','created');
CREATE TABLE run_metrics (
	run_id INTEGER NOT NULL, 
	split TEXT NOT NULL, 
	name TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	value DOUBLE, 
	CONSTRAINT pk_run_metrics PRIMARY KEY (run_id, split, name, step), 
	CONSTRAINT ck_run_metrics_name CHECK (name <> ''), 
	CONSTRAINT ck_run_metrics_split CHECK (split IN ('', 'train', 'validation', 'test')), 
	CONSTRAINT fk_run_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	state TEXT NOT NULL, 
	seed BIGINT NOT NULL, 
	worker_id INTEGER, 
	n_lost INTEGER DEFAULT '0' NOT NULL, 
	checkpoint TEXT DEFAULT '' NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT, 
	finished_at TEXT, 
	seconds DOUBLE, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT uq_runs_study_id_name UNIQUE (study_id, name), 
	CONSTRAINT ck_runs_name CHECK (name <> ''), 
	CONSTRAINT ck_runs_state CHECK (state IN ('WAITING', 'RUNNING', 'COMPLETE', 'FAIL')), 
	CONSTRAINT ck_runs_n_lost CHECK (n_lost >= 0), 
	CONSTRAINT ck_runs_finished_at CHECK ((state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)), 
	CONSTRAINT fk_runs_study_id FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE, 
	CONSTRAINT fk_runs_worker_id FOREIGN KEY(worker_id) REFERENCES workers (id) ON DELETE SET NULL
);
CREATE TABLE studies (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	seed BIGINT NOT NULL, 
	created_at TEXT NOT NULL, 
	archloom_version TEXT NOT NULL, 
	space TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	config TEXT NOT NULL, 
	constraints TEXT NOT NULL, 
	status TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	max_trials INTEGER, 
	budget TEXT DEFAULT 'evaluations' NOT NULL, 
	CONSTRAINT pk_studies PRIMARY KEY (id), 
	CONSTRAINT ck_studies_name CHECK (name <> ''), 
	CONSTRAINT ck_studies_max_trials CHECK (max_trials > 0), 
	CONSTRAINT ck_studies_budget CHECK (budget IN ('evaluations', 'proposals')), 
	CONSTRAINT ck_studies_status CHECK (status IN ('running', 'stopped', 'done')), 
	CONSTRAINT uq_studies_name UNIQUE (name)
);
INSERT INTO "studies" VALUES(1,'two goals',3,'2026-11-21T17:22:00.339505Z','0.1.0','{"decisions": [{"name": "op", "candidates": ["conv", "skip", "pool"]}, {"name": "width", "candidates": ["16", "32"]}, {"name": "lr", "low": 0.001, "high": 0.1, "scale": "linear"}], "template": {"op": {"oneof": ["conv", "skip", "pool"]}, "width": {"oneof": [16, 32]}, "lr": {"floatv": [0.001, 0.1], "scale": "linear"}}}','171455dc140929742670','{}','["params <= 200"]','done','the budget of 12 evaluations is spent',12,'evaluations');
INSERT INTO "studies" VALUES(2,'by hand; ''quoted''',1,'2026-11-21T17:22:00.521440Z','0.1.0','{}','','{"n": 1}','["loss <= 9"]','running','',NULL,'evaluations');
CREATE TABLE tags (
	trial_id INTEGER NOT NULL, 
	tag TEXT NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (trial_id, tag), 
	CONSTRAINT ck_tags_tag CHECK (tag <> ''), 
	CONSTRAINT fk_tags_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "tags" VALUES(15,'good');
INSERT INTO "tags" VALUES(17,'good');
CREATE TABLE trials (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	architecture TEXT NOT NULL, 
	ask INTEGER NOT NULL, 
	seed BIGINT NOT NULL, 
	fidelity TEXT, 
	violation DOUBLE DEFAULT '0' NOT NULL, 
	is_pareto BOOLEAN DEFAULT 0 NOT NULL, 
	reused_from INTEGER, 
	reason TEXT DEFAULT '' NOT NULL, 
	traceback TEXT DEFAULT '' NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT, 
	finished_at TEXT, 
	seconds DOUBLE, 
	value DOUBLE, 
	excluded TEXT DEFAULT '' NOT NULL, 
	finish_order INTEGER, 
	worker_id INTEGER, 
	n_lost INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_trials PRIMARY KEY (id), 
	CONSTRAINT uq_trials_study_id_number UNIQUE (study_id, number), 
	CONSTRAINT fk_trials_study_id_reused_from FOREIGN KEY(study_id, reused_from) REFERENCES trials (study_id, number), 
	CONSTRAINT ck_trials_number CHECK (number >= 0), 
	CONSTRAINT ck_trials_state CHECK (state IN ('WAITING', 'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL')), 
	CONSTRAINT ck_trials_violation CHECK (violation >= 0), 
	CONSTRAINT ck_trials_excluded CHECK (excluded IN ('', 'outside', 'invalid')), 
	CONSTRAINT ck_trials_is_pareto CHECK (NOT is_pareto OR (state = 'COMPLETE' AND violation = 0 AND excluded = '')), 
	CONSTRAINT ck_trials_value CHECK (state <> 'COMPLETE' OR value IS NOT NULL), 
	CONSTRAINT ck_trials_reused_from CHECK (reused_from <> number), 
	CONSTRAINT ck_trials_n_lost CHECK (n_lost >= 0), 
	CONSTRAINT ck_trials_started_at CHECK ((state = 'WAITING') = (started_at IS NULL)), 
	CONSTRAINT ck_trials_finished_at CHECK ((state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)), 
	CONSTRAINT ck_trials_finish_order CHECK ((finished_at IS NULL) = (finish_order IS NULL)), 
	CONSTRAINT ck_trials_seconds CHECK ((finished_at IS NULL) = (seconds IS NULL)), 
	CONSTRAINT fk_trials_study_id FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE, 
	CONSTRAINT fk_trials_worker_id FOREIGN KEY(worker_id) REFERENCES workers (id) ON DELETE SET NULL
);
INSERT INTO "trials" VALUES(1,1,0,'COMPLETE','ee8c7f0081b25b669ee3','op=pool, width=16, lr=0.02444424015301387',0,2699829998,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.377473Z','2026-11-21T17:22:00.377473Z','2026-11-21T17:22:00.408668Z',0.031195,7.24444240153013785388e-01,'',0,1,0);
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','29b0cc8d6730e45c15f6','op=conv, width=16, lr=0.04131252193691749',1,3898584199,NULL,0.0,1,NULL,'','','2026-11-21T17:22:00.415040Z','2026-11-21T17:22:00.415040Z','2026-11-21T17:22:00.426469Z',0.011429,9.41312521936917501186e-01,'',1,1,0);
INSERT INTO "trials" VALUES(3,1,2,'FAIL','9c2e9c0a97bcd68934c6','op=pool, width=32, lr=0.07458743402199829',2,872096964,NULL,0.0,0,NULL,'ValueError: pool is too wide; no NUL here','Traceback (most recent call last):
  File "archloom/evaluation.py", line 75, in one
    metrics = _joined(metrics, evaluator, evaluator.evaluate(point, trial))
                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "archloom/evaluators/function.py", line 49, in evaluate
    result = self._call(architecture, trial=trial)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "make.py", line 14, in score
    raise ValueError("pool is too wide; no NUL here")
ValueError: pool is too wide; no NUL here
','2026-11-21T17:22:00.427741Z','2026-11-21T17:22:00.427741Z','2026-11-21T17:22:00.434426Z',0.006685,NULL,'',2,1,0);
INSERT INTO "trials" VALUES(4,1,3,'COMPLETE','95f4f5b328914d300242','op=skip, width=16, lr=0.03267471535539036',3,4061260910,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.435298Z','2026-11-21T17:22:00.435298Z','2026-11-21T17:22:00.441598Z',0.0063,5.32674715355390349103e-01,'',3,1,0);
INSERT INTO "trials" VALUES(5,1,4,'COMPLETE','ff48b215ac32d3d4f8ba','op=conv, width=16, lr=0.02444424015301387',4,416398004,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.445756Z','2026-11-21T17:22:00.445756Z','2026-11-21T17:22:00.455977Z',0.010221,9.24444240153013852001e-01,'',4,1,0);
INSERT INTO "trials" VALUES(6,1,5,'COMPLETE','6ced6ebae467a8b4d7e0','op=skip, width=16, lr=0.02444424015301387',5,3261479728,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.457070Z','2026-11-21T17:22:00.457070Z','2026-11-21T17:22:00.463616Z',0.006546,5.24444240153013829797e-01,'',5,1,0);
INSERT INTO "trials" VALUES(7,1,6,'COMPLETE','21ab0e70321f2ed4317e','op=skip, width=16, lr=0.09167385843678397',6,1487501676,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.464620Z','2026-11-21T17:22:00.464620Z','2026-11-21T17:22:00.470738Z',0.006118,0.591673858436784,'',6,1,0);
INSERT INTO "trials" VALUES(8,1,7,'COMPLETE','fd6e2102eb59dfa99c74','op=skip, width=16, lr=0.02467901108276221',7,1889756337,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.471698Z','2026-11-21T17:22:00.471698Z','2026-11-21T17:22:00.477420Z',0.005722,5.24679011082762158935e-01,'',7,1,0);
INSERT INTO "trials" VALUES(9,1,8,'COMPLETE','6ced6ebae467a8b4d7e0','op=skip, width=16, lr=0.02444424015301387',8,2659839916,NULL,0.0,0,5,'','','2026-11-21T17:22:00.478600Z','2026-11-21T17:22:00.478600Z','2026-11-21T17:22:00.483282Z',0.004682,5.24444240153013829797e-01,'',8,1,0);
INSERT INTO "trials" VALUES(10,1,9,'COMPLETE','dcbdab157ede46d474bc','op=skip, width=16, lr=0.032506908210811446',9,189218998,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.484098Z','2026-11-21T17:22:00.484098Z','2026-11-21T17:22:00.489924Z',0.005826,5.32506908210811480408e-01,'',9,1,0);
INSERT INTO "trials" VALUES(11,1,10,'COMPLETE','e4f5d7c6b517fd231146','op=skip, width=32, lr=0.09167385843678397',10,2451645111,NULL,0.6,0,NULL,'','','2026-11-21T17:22:00.490990Z','2026-11-21T17:22:00.490990Z','2026-11-21T17:22:00.497959Z',0.006969,0.591673858436784,'',10,1,0);
INSERT INTO "trials" VALUES(12,1,11,'COMPLETE','d6696017b45deee29f65','op=skip, width=16, lr=0.013904193960000092',11,3013257635,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.498810Z','2026-11-21T17:22:00.498810Z','2026-11-21T17:22:00.505491Z',0.006681,5.13904193960000088559e-01,'',11,1,0);
INSERT INTO "trials" VALUES(13,1,12,'COMPLETE','9c5056fb817c01165707','op=conv, width=16, lr=0.032506908210811446',12,2801458956,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.506512Z','2026-11-21T17:22:00.506512Z','2026-11-21T17:22:00.512127Z',0.005615,9.32506908210811502613e-01,'',12,1,0);
INSERT INTO "trials" VALUES(14,2,0,'COMPLETE','k0','op=0',0,0,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.524042Z','2026-11-21T17:22:00.525296Z','2026-11-21T17:22:00.533284Z',0.007988,3.0,'',1,2,0);
INSERT INTO "trials" VALUES(15,2,1,'COMPLETE','k1','op=1',0,1,NULL,0.0,1,NULL,'','','2026-11-21T17:22:00.524042Z','2026-11-21T17:22:00.527539Z','2026-11-21T17:22:00.532366Z',0.004827,2.0,'',0,2,0);
INSERT INTO "trials" VALUES(16,2,2,'COMPLETE','k2','op=2',0,2,NULL,0.0,0,1,'','','2026-11-21T17:22:00.524042Z','2026-11-21T17:22:00.528159Z','2026-11-21T17:22:00.534027Z',0.005868,2.0,'',2,2,0);
INSERT INTO "trials" VALUES(17,2,3,'PRUNED','k3','op=3',0,3,NULL,0.0,0,NULL,'stopped early by the pruner','','2026-11-21T17:22:00.524042Z','2026-11-21T17:22:00.528746Z','2026-11-21T17:22:00.534597Z',0.005851,8.0,'',3,2,0);
INSERT INTO "trials" VALUES(18,2,4,'FAIL','k4','op=4',0,4,NULL,0.0,0,NULL,'ValueError: é','Traceback ...','2026-11-21T17:22:00.524042Z','2026-11-21T17:22:00.529317Z','2026-11-21T17:22:00.535115Z',0.005798,NULL,'',4,2,0);
INSERT INTO "trials" VALUES(19,2,5,'COMPLETE','k5','op=5',0,5,NULL,1.0,0,NULL,'','','2026-11-21T17:22:00.524042Z','2026-11-21T17:22:00.529814Z','2026-11-21T17:22:00.535603Z',0.005789,10.0,'invalid',5,2,0);
INSERT INTO "trials" VALUES(20,2,6,'RUNNING','k6','op=6',0,6,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.524042Z','2026-11-21T17:22:00.530299Z',NULL,NULL,NULL,'',NULL,2,0);
INSERT INTO "trials" VALUES(21,2,7,'WAITING','k7','op=7',0,7,NULL,0.0,0,NULL,'','','2026-11-21T17:22:00.524042Z',NULL,NULL,NULL,NULL,'',NULL,NULL,0);
CREATE TABLE workers (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	process TEXT NOT NULL, 
	is_proposer BOOLEAN DEFAULT 0 NOT NULL, 
	n_slots INTEGER DEFAULT '0' NOT NULL, 
	n_beats INTEGER DEFAULT '0' NOT NULL, 
	started_at TEXT NOT NULL, 
	renewed_at TEXT NOT NULL, 
	ended_at TEXT, 
	CONSTRAINT pk_workers PRIMARY KEY (id), 
	CONSTRAINT ck_workers_n_slots CHECK (n_slots >= 0), 
	CONSTRAINT ck_workers_is_proposer CHECK (NOT is_proposer OR ended_at IS NULL), 
	CONSTRAINT fk_workers_study_id FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE
);
INSERT INTO "workers" VALUES(1,1,'somewhere',4711,'boot pid:[1] 1',0,1,1,'2026-11-21T17:22:00.356000Z','2026-11-21T17:22:00.357238Z','2026-11-21T17:22:00.520499Z');
INSERT INTO "workers" VALUES(2,2,'somewhere',4711,'boot pid:[1] 1',0,1,0,'2026-11-21T17:22:00.525180Z','2026-11-21T17:22:00.525180Z','2026-11-21T17:22:00.556960Z');
CREATE UNIQUE INDEX uq_workers_proposer ON workers (study_id) WHERE is_proposer = 1;
CREATE INDEX ix_workers_study_id ON workers (study_id);
CREATE INDEX ix_trials_open ON trials (study_id, state, number) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX uq_trials_finish_order ON trials (study_id, finish_order) WHERE finish_order IS NOT NULL;
CREATE INDEX ix_trials_study_id_key ON trials (study_id, "key");
CREATE INDEX ix_trials_study_id_reused_from ON trials (study_id, reused_from) WHERE reused_from IS NOT NULL;
CREATE INDEX ix_trials_best ON trials (study_id, value) WHERE state = 'COMPLETE' AND violation = 0 AND excluded = '';
CREATE INDEX ix_trials_front ON trials (study_id, is_pareto, number) WHERE is_pareto = 1;
CREATE INDEX ix_events_trial_id ON events (trial_id);
CREATE INDEX ix_events_study_id ON events (study_id);
CREATE VIEW front AS
SELECT
    t.study_id AS study_id,
    o.position AS position,
    s.name AS study,
    t.number AS trial,
    t.architecture AS architecture,
    (
        SELECT group_concat(word, ', ')
        FROM (
            SELECT label || '=' || CASE
                WHEN value IS NULL THEN 'nan'
                WHEN abs(value) < 1e15 AND value = CAST(value AS INTEGER)
                    THEN CAST(CAST(value AS INTEGER) AS TEXT)
                ELSE printf('%.6g', value)
            END AS word
            FROM (
                -- "accuracy" is short for "validation/accuracy", unless both are there.
                SELECT
                    CASE
                        WHEN split = '' THEN name
                        WHEN split = 'validation' AND max(split = '') OVER (PARTITION BY name) = 0 THEN name
                        ELSE split || '/' || name
                    END AS label,
                    value
                FROM metrics
                WHERE trial_id = t.id
            )
            ORDER BY label
        )
    ) AS metrics,
    CASE o.split WHEN '' THEN o.metric ELSE o.split || '/' || o.metric END AS objective,
    o.direction AS direction,
    m.value AS value,
    t.finished_at AS finished_at
-- INDEXED BY and CROSS JOIN keep SQLite to the few trials of the front and what belongs to them.
FROM trials AS t INDEXED BY ix_trials_front
CROSS JOIN studies AS s ON s.id = t.study_id
CROSS JOIN objectives AS o ON o.study_id = t.study_id
CROSS JOIN metrics AS m ON m.trial_id = t.id AND m.name = o.metric AND m.split = o.split
WHERE t.is_pareto = 1;
CREATE VIEW best AS
SELECT study, trial, architecture, metrics, objective, direction, value, finished_at
FROM (
    SELECT
        front.*,
        row_number() OVER (
            PARTITION BY study_id, position
            ORDER BY CASE direction WHEN 'maximize' THEN -value ELSE value END, trial
        ) AS place
    FROM front
)
WHERE place = 1
ORDER BY study_id, position;
CREATE VIEW pareto AS
SELECT
    study, trial, architecture, metrics, objective, direction, value, finished_at,
    (
        SELECT group_concat(word, ', ')
        FROM (
            SELECT direction || ' ' || CASE split WHEN '' THEN metric ELSE split || '/' || metric END AS word
            FROM objectives
            WHERE study_id = front.study_id
            ORDER BY position
        )
    ) AS objectives
FROM front
WHERE position = 0
ORDER BY study_id, trial;
CREATE VIEW calibration AS
SELECT
    s.name AS study,
    t.number AS trial,
    p.predictor AS predictor,
    CASE p.split WHEN '' THEN p.name ELSE p.split || '/' || p.name END AS metric,
    p.mean AS mean,
    p.std AS std,
    m.value AS value,
    m.value - p.mean AS error,
    CASE WHEN p.std > 0 THEN (m.value - p.mean) / p.std END AS z
FROM predictions AS p
JOIN trials AS t ON t.id = p.trial_id
JOIN studies AS s ON s.id = t.study_id
LEFT JOIN metrics AS m ON m.trial_id = t.id AND m.split = p.split AND m.name = p.name AND t.excluded = '';
CREATE VIEW wide_two_goals AS SELECT trials.number, trials.state, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'lr') AS lr, (SELECT decisions.choice 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'op') AS op, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'width') AS width, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = '' AND metrics.name = 'params') AS params, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = 'validation' AND metrics.name = 'accuracy') AS accuracy, trials.seconds, trials.violation, trials.is_pareto, trials.reused_from, trials.fidelity, trials.excluded, trials.reason, trials.finished_at 
FROM trials 
WHERE trials.study_id = 1 ORDER BY trials.number;
CREATE VIEW wide_by_hand___quoted_ AS SELECT trials.number, trials.state, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'op') AS op, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'rate') AS rate, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = '' AND metrics.name = 'loss') AS loss, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = 'test' AND metrics.name = 'loss') AS "test/loss", trials.seconds, trials.violation, trials.is_pareto, trials.reused_from, trials.fidelity, trials.excluded, trials.reason, trials.finished_at 
FROM trials 
WHERE trials.study_id = 2 ORDER BY trials.number;
COMMIT;
