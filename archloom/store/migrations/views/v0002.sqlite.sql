-- SPDX-License-Identifier: Apache-2.0
-- Every trial of the Pareto front, one row an objective, with its final metrics in words.
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

-- The best trial of each objective; of equal ones the earliest.
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

-- The Pareto front, one row a trial: objective, direction and value are those of the first
-- objective, objectives names them all, and metrics holds their values.
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

-- What predictors said of trials, beside what was measured: z is the error in predicted deviations.
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
