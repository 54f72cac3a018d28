BEGIN TRANSACTION;
CREATE TABLE archloom_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT archloom_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "archloom_schema" VALUES('0001');
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
INSERT INTO "events" VALUES(1,2,NULL,'2026-11-21T15:23:49.606100+00:00','note','trial 6 is RUNNING and trial 7 WAITING for ever');
CREATE TABLE metrics (
	trial_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	step INTEGER, 
	split TEXT NOT NULL, 
	value DOUBLE, 
	CONSTRAINT ck_metrics_name CHECK (name <> ''), 
	CONSTRAINT ck_metrics_split CHECK (split IN ('', 'train', 'validation', 'test')), 
	CONSTRAINT fk_metrics_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id) ON DELETE CASCADE
);
INSERT INTO "metrics" VALUES(1,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(1,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(1,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(1,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(1,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(1,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(1,'accuracy',NULL,'validation',7.24444240153013785388e-01);
INSERT INTO "metrics" VALUES(1,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(2,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(2,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(2,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(2,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(2,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(2,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(2,'accuracy',NULL,'validation',9.41312521936917501186e-01);
INSERT INTO "metrics" VALUES(2,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(3,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(3,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(3,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(3,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(3,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(3,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(4,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(4,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(4,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(4,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(4,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(4,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(4,'accuracy',NULL,'validation',5.32674715355390349103e-01);
INSERT INTO "metrics" VALUES(4,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(5,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(5,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(5,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(5,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(5,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(5,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(5,'accuracy',NULL,'validation',9.24444240153013852001e-01);
INSERT INTO "metrics" VALUES(5,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(6,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(6,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(6,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(6,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(6,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(6,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(6,'accuracy',NULL,'validation',5.24444240153013829797e-01);
INSERT INTO "metrics" VALUES(6,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(7,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(7,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(7,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(7,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(7,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(7,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(7,'accuracy',NULL,'validation',0.591673858436784);
INSERT INTO "metrics" VALUES(7,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(8,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(8,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(8,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(8,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(8,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(8,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(8,'accuracy',NULL,'validation',5.24679011082762158935e-01);
INSERT INTO "metrics" VALUES(8,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(9,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(9,'accuracy',NULL,'validation',5.24444240153013829797e-01);
INSERT INTO "metrics" VALUES(10,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(10,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(10,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(10,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(10,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(10,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(10,'accuracy',NULL,'validation',5.32506908210811480408e-01);
INSERT INTO "metrics" VALUES(10,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(11,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(11,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(11,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(11,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(11,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(11,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(11,'accuracy',NULL,'validation',0.591673858436784);
INSERT INTO "metrics" VALUES(11,'params',NULL,'',320.0);
INSERT INTO "metrics" VALUES(12,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(12,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(12,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(12,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(12,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(12,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(12,'accuracy',NULL,'validation',5.13904193960000088559e-01);
INSERT INTO "metrics" VALUES(12,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(13,'accuracy',0,'validation',0.5);
INSERT INTO "metrics" VALUES(13,'loss',0,'train',1.0);
INSERT INTO "metrics" VALUES(13,'accuracy',1,'validation',0.6);
INSERT INTO "metrics" VALUES(13,'loss',1,'train',0.5);
INSERT INTO "metrics" VALUES(13,'accuracy',2,'validation',0.7);
INSERT INTO "metrics" VALUES(13,'loss',2,'train',3.33333333333333314829e-01);
INSERT INTO "metrics" VALUES(13,'accuracy',NULL,'validation',9.32506908210811502613e-01);
INSERT INTO "metrics" VALUES(13,'params',NULL,'',160.0);
INSERT INTO "metrics" VALUES(14,'loss',0,'',5.0);
INSERT INTO "metrics" VALUES(14,'loss',1,'',9e999);
INSERT INTO "metrics" VALUES(15,'loss',NULL,'',2.0);
INSERT INTO "metrics" VALUES(15,'loss',NULL,'test',2.5);
INSERT INTO "metrics" VALUES(14,'loss',NULL,'',3.0);
INSERT INTO "metrics" VALUES(16,'loss',NULL,'',2.0);
INSERT INTO "metrics" VALUES(17,'loss',NULL,'',8.0);
INSERT INTO "metrics" VALUES(18,'loss',NULL,'',NULL);
INSERT INTO "metrics" VALUES(19,'loss',NULL,'',10.0);
INSERT INTO "metrics" VALUES(20,'loss',0,'',4.0);
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
	CONSTRAINT pk_studies PRIMARY KEY (id), 
	CONSTRAINT ck_studies_name CHECK (name <> ''), 
	CONSTRAINT ck_studies_status CHECK (status IN ('running', 'stopped', 'done')), 
	CONSTRAINT uq_studies_name UNIQUE (name)
);
INSERT INTO "studies" VALUES(1,'two goals',3,'2026-11-21T15:23:49.427425+00:00','0.1.0','{"decisions": [{"name": "op", "candidates": ["conv", "skip", "pool"]}, {"name": "width", "candidates": ["16", "32"]}, {"name": "lr", "low": 0.001, "high": 0.1, "scale": "linear"}], "template": {"op": {"oneof": ["conv", "skip", "pool"]}, "width": {"oneof": [16, 32]}, "lr": {"floatv": [0.001, 0.1], "scale": "linear"}}}','171455dc1409297426704d87d3729c78','{}','["params <= 200"]','done','the budget of 12 evaluations is spent');
INSERT INTO "studies" VALUES(2,'by hand; ''quoted''',1,'2026-11-21T15:23:49.594633+00:00','0.1.0','{}','','{"n": 1}','["loss <= 9"]','running','');
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
	CONSTRAINT pk_trials PRIMARY KEY (id), 
	CONSTRAINT uq_trials_study_id_number UNIQUE (study_id, number), 
	CONSTRAINT fk_trials_study_id_reused_from FOREIGN KEY(study_id, reused_from) REFERENCES trials (study_id, number), 
	CONSTRAINT ck_trials_number CHECK (number >= 0), 
	CONSTRAINT ck_trials_state CHECK (state IN ('WAITING', 'RUNNING', 'COMPLETE', 'PRUNED', 'FAIL')), 
	CONSTRAINT ck_trials_violation CHECK (violation >= 0), 
	CONSTRAINT ck_trials_is_pareto CHECK (NOT is_pareto OR (state = 'COMPLETE' AND violation = 0)), 
	CONSTRAINT ck_trials_reused_from CHECK (reused_from <> number), 
	CONSTRAINT ck_trials_started_at CHECK ((state = 'WAITING') = (started_at IS NULL)), 
	CONSTRAINT ck_trials_finished_at CHECK ((state IN ('WAITING', 'RUNNING')) = (finished_at IS NULL)), 
	CONSTRAINT ck_trials_seconds CHECK ((finished_at IS NULL) = (seconds IS NULL)), 
	CONSTRAINT fk_trials_study_id FOREIGN KEY(study_id) REFERENCES studies (id) ON DELETE CASCADE
);
INSERT INTO "trials" VALUES(1,1,0,'COMPLETE','ee8c7f0081b25b669ee38855a6ac1a1f','op=pool, width=16, lr=0.02444424015301387',0,2699829998,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.459252+00:00','2026-11-21T15:23:49.459252+00:00','2026-11-21T15:23:49.490187+00:00',0.030935);
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','29b0cc8d6730e45c15f6bbe2477eb863','op=conv, width=16, lr=0.04131252193691749',1,3898584199,NULL,0.0,1,NULL,'','','2026-11-21T15:23:49.492319+00:00','2026-11-21T15:23:49.492319+00:00','2026-11-21T15:23:49.503891+00:00',0.011572);
INSERT INTO "trials" VALUES(3,1,2,'FAIL','9c2e9c0a97bcd68934c662cd8334dd53','op=pool, width=32, lr=0.07458743402199829',2,872096964,NULL,0.0,0,NULL,'ValueError: pool is too wide; no NUL here','Traceback (most recent call last):
  File "archloom/evaluation.py", line 71, in __call__
    metrics = _joined(metrics, evaluator, evaluator.evaluate(point, trial))
                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "archloom/evaluators/function.py", line 49, in evaluate
    result = self._call(architecture, trial=trial)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "make.py", line 14, in score
    raise ValueError("pool is too wide; no NUL here")
ValueError: pool is too wide; no NUL here
','2026-11-21T15:23:49.504979+00:00','2026-11-21T15:23:49.504979+00:00','2026-11-21T15:23:49.515175+00:00',0.010196);
INSERT INTO "trials" VALUES(4,1,3,'COMPLETE','95f4f5b328914d300242597a75d5ea3c','op=skip, width=16, lr=0.03267471535539036',3,4061260910,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.516046+00:00','2026-11-21T15:23:49.516046+00:00','2026-11-21T15:23:49.523483+00:00',0.007437);
INSERT INTO "trials" VALUES(5,1,4,'COMPLETE','ff48b215ac32d3d4f8ba265ae1e7c174','op=conv, width=16, lr=0.02444424015301387',4,416398004,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.524381+00:00','2026-11-21T15:23:49.524381+00:00','2026-11-21T15:23:49.532169+00:00',0.007788);
INSERT INTO "trials" VALUES(6,1,5,'COMPLETE','6ced6ebae467a8b4d7e06e4cc24d2217','op=skip, width=16, lr=0.02444424015301387',5,3261479728,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.533127+00:00','2026-11-21T15:23:49.533127+00:00','2026-11-21T15:23:49.539648+00:00',0.006521);
INSERT INTO "trials" VALUES(7,1,6,'COMPLETE','21ab0e70321f2ed4317eb7920587bc9e','op=skip, width=16, lr=0.09167385843678397',6,1487501676,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.540491+00:00','2026-11-21T15:23:49.540491+00:00','2026-11-21T15:23:49.546759+00:00',0.006268);
INSERT INTO "trials" VALUES(8,1,7,'COMPLETE','fd6e2102eb59dfa99c74050c5c8bf272','op=skip, width=16, lr=0.02467901108276221',7,1889756337,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.547614+00:00','2026-11-21T15:23:49.547614+00:00','2026-11-21T15:23:49.554205+00:00',0.006591);
INSERT INTO "trials" VALUES(9,1,8,'COMPLETE','6ced6ebae467a8b4d7e06e4cc24d2217','op=skip, width=16, lr=0.02444424015301387',8,2659839916,NULL,0.0,0,5,'','','2026-11-21T15:23:49.554958+00:00','2026-11-21T15:23:49.554958+00:00','2026-11-21T15:23:49.559085+00:00',0.004127);
INSERT INTO "trials" VALUES(10,1,9,'COMPLETE','dcbdab157ede46d474bcadd7e15971c0','op=skip, width=16, lr=0.032506908210811446',9,189218998,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.559822+00:00','2026-11-21T15:23:49.559822+00:00','2026-11-21T15:23:49.566462+00:00',0.00664);
INSERT INTO "trials" VALUES(11,1,10,'COMPLETE','e4f5d7c6b517fd23114636397fe9d1f3','op=skip, width=32, lr=0.09167385843678397',10,2451645111,NULL,0.6,0,NULL,'','','2026-11-21T15:23:49.567225+00:00','2026-11-21T15:23:49.567225+00:00','2026-11-21T15:23:49.573827+00:00',0.006602);
INSERT INTO "trials" VALUES(12,1,11,'COMPLETE','d6696017b45deee29f658c4de0c86b3f','op=skip, width=16, lr=0.013904193960000092',11,3013257635,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.574547+00:00','2026-11-21T15:23:49.574547+00:00','2026-11-21T15:23:49.581699+00:00',0.007152);
INSERT INTO "trials" VALUES(13,1,12,'COMPLETE','9c5056fb817c011657070c3bfd6f0dbd','op=conv, width=16, lr=0.032506908210811446',12,2801458956,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.582640+00:00','2026-11-21T15:23:49.582640+00:00','2026-11-21T15:23:49.589135+00:00',0.006495);
INSERT INTO "trials" VALUES(14,2,0,'COMPLETE','k0','op=0',0,0,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.596582+00:00','2026-11-21T15:23:49.597370+00:00','2026-11-21T15:23:49.603456+00:00',0.006086);
INSERT INTO "trials" VALUES(15,2,1,'COMPLETE','k1','op=1',0,1,NULL,0.0,1,NULL,'','','2026-11-21T15:23:49.596582+00:00','2026-11-21T15:23:49.598492+00:00','2026-11-21T15:23:49.602829+00:00',0.004337);
INSERT INTO "trials" VALUES(16,2,2,'COMPLETE','k2','op=2',0,2,NULL,0.0,0,1,'','','2026-11-21T15:23:49.596582+00:00','2026-11-21T15:23:49.599083+00:00','2026-11-21T15:23:49.603899+00:00',0.004816);
INSERT INTO "trials" VALUES(17,2,3,'PRUNED','k3','op=3',0,3,NULL,0.0,0,NULL,'stopped early by the pruner','','2026-11-21T15:23:49.596582+00:00','2026-11-21T15:23:49.599487+00:00','2026-11-21T15:23:49.604373+00:00',0.004886);
INSERT INTO "trials" VALUES(18,2,4,'FAIL','k4','op=4',0,4,NULL,0.0,0,NULL,'ValueError: é','Traceback ...','2026-11-21T15:23:49.596582+00:00','2026-11-21T15:23:49.599877+00:00','2026-11-21T15:23:49.604847+00:00',0.00497);
INSERT INTO "trials" VALUES(19,2,5,'COMPLETE','k5','op=5',0,5,NULL,1.0,0,NULL,'','','2026-11-21T15:23:49.596582+00:00','2026-11-21T15:23:49.600316+00:00','2026-11-21T15:23:49.605300+00:00',0.004984);
INSERT INTO "trials" VALUES(20,2,6,'RUNNING','k6','op=6',0,6,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.596582+00:00','2026-11-21T15:23:49.600732+00:00',NULL,NULL);
INSERT INTO "trials" VALUES(21,2,7,'WAITING','k7','op=7',0,7,NULL,0.0,0,NULL,'','','2026-11-21T15:23:49.596582+00:00',NULL,NULL,NULL);
CREATE INDEX ix_trials_study_id_reused_from ON trials (study_id, reused_from) WHERE reused_from IS NOT NULL;
CREATE INDEX ix_trials_study_id_key ON trials (study_id, "key");
CREATE INDEX ix_trials_open ON trials (study_id, state, number) WHERE finished_at IS NULL;
CREATE INDEX ix_trials_front ON trials (study_id, is_pareto, number) WHERE is_pareto = 1;
CREATE UNIQUE INDEX uq_metrics_step ON metrics (trial_id, split, name, step) WHERE step IS NOT NULL;
CREATE UNIQUE INDEX uq_metrics_final ON metrics (trial_id, split, name) WHERE step IS NULL;
CREATE INDEX ix_events_study_id ON events (study_id);
CREATE INDEX ix_events_trial_id ON events (trial_id);
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
                WHERE trial_id = t.id AND step IS NULL
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
CROSS JOIN metrics AS m ON m.trial_id = t.id AND m.name = o.metric AND m.split = o.split AND m.step IS NULL
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
CREATE VIEW wide_two_goals AS SELECT trials.number, trials.state, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'lr') AS lr, (SELECT decisions.choice 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'op') AS op, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'width') AS width, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = '' AND metrics.name = 'params' AND metrics.step IS NULL) AS params, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = 'validation' AND metrics.name = 'accuracy' AND metrics.step IS NULL) AS accuracy, trials.seconds, trials.violation, trials.is_pareto, trials.reused_from, trials.fidelity, trials.reason, trials.finished_at 
FROM trials 
WHERE trials.study_id = 1 ORDER BY trials.number;
CREATE VIEW wide_by_hand___quoted_ AS SELECT trials.number, trials.state, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'op') AS op, (SELECT decisions.value 
FROM decisions 
WHERE decisions.trial_id = trials.id AND decisions.name = 'rate') AS rate, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = '' AND metrics.name = 'loss' AND metrics.step IS NULL) AS loss, (SELECT metrics.value 
FROM metrics 
WHERE metrics.trial_id = trials.id AND metrics.split = 'test' AND metrics.name = 'loss' AND metrics.step IS NULL) AS "test/loss", trials.seconds, trials.violation, trials.is_pareto, trials.reused_from, trials.fidelity, trials.reason, trials.finished_at 
FROM trials 
WHERE trials.study_id = 2 ORDER BY trials.number;
COMMIT;
