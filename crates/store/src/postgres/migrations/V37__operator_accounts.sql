-- An operator with roles in several organisations has an account in each.
INSERT INTO operator_account (organisation_id, name, password, role)
SELECT r.organisation_id, r.operator, o.password, r.role
FROM operator_role r JOIN operator o ON o.name = r.operator
ON CONFLICT (organisation_id, name) DO NOTHING;
