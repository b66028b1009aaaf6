-- The most operations of one unit only ever grew, also when that unit left the arm: whether a few
-- units decide is read from the sums.

SET ROLE assay_owner;

ALTER TABLE ab_arms DROP COLUMN largest;

RESET ROLE;
