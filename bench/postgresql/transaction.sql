-- A registration as it is written where each request has a transaction of its own.
\set organisation random(1, 8)
\set customer random(1, 9000000000000000)
BEGIN;
SELECT kind, value, customer_id FROM identifier
 WHERE organisation_id = :organisation
   AND (kind, value) IN ((1, :customer || ''), (2, :customer || '.customer@example.com'), (3, 'E' || :customer));
INSERT INTO customer VALUES (:organisation, :customer,
    '{"firstname":"Asha","lastname":"Kulkarni","type":"LOYALTY","source":"INSTORE","city":"Pune","pincode":"411001","gender":"Female"}',
    1722227472000);
INSERT INTO identifier VALUES
    (:organisation, 1, :customer || '', :customer),
    (:organisation, 2, :customer || '.customer@example.com', :customer),
    (:organisation, 3, 'E' || :customer, :customer);
INSERT INTO enrolment VALUES (:organisation, :customer, 469, 'Base', 100);
INSERT INTO ledger_entry VALUES (:organisation, :customer, 'welcome', 469, 100, 1722227472000);
INSERT INTO audit_entry VALUES (:organisation, :customer, 1, 1722227472000,
    '[["mobile",null,"919876543210"],["email",null,"asha@example.com"],["external_id",null,"E1"],["firstname",null,"Asha"],["lastname",null,"Kulkarni"]]');
COMMIT;
