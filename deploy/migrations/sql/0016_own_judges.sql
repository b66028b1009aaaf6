-- What a model says of its own answers is kept and shown, and counts nowhere. Which vote is one
-- depends on the operation, so whoever makes rows marks it; `assay rebuild training` marks older ones.
SET ROLE assay_owner;

ALTER TABLE feedback_analysis ADD COLUMN is_own_judge boolean NOT NULL DEFAULT false;

RESET ROLE;
