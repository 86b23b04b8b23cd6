-- Which quota an alert is about, and how it stood then (R-ALERT): each quota of a route or project has alerts
-- of its own. Alerts raised before have none of it.
ALTER TABLE alert ADD COLUMN quota_per INTEGER;
ALTER TABLE alert ADD COLUMN quota_unit INTEGER;
ALTER TABLE alert ADD COLUMN quota_limit INTEGER;
ALTER TABLE alert ADD COLUMN quota_used INTEGER;
DROP INDEX alert_raised;
CREATE UNIQUE INDEX alert_raised ON alert (project, kind, subject, ifnull(quota_per, -1), ifnull(quota_unit, -1))
    WHERE resolved_at IS NULL;
