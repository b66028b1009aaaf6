-- Steps of A/B tests are told to channels, as those of alerts are.

SET ROLE assay_owner;

-- Of an experiment's delivery `alert_id` is the test's id, and `alert_state` what is told of it.
ALTER TABLE notification_deliveries DROP CONSTRAINT notification_deliveries_kind_check;
ALTER TABLE notification_deliveries ADD CONSTRAINT notification_deliveries_kind_check
    CHECK (kind IN ('alert', 'test', 'experiment'));

RESET ROLE;
