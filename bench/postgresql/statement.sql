\set organisation random(1, 8)
\set customer random(1, 9000000000000000)
WITH registered AS (
    INSERT INTO customer VALUES (:organisation, :customer,
        '{"firstname":"Asha","lastname":"Kulkarni","type":"LOYALTY","source":"INSTORE","city":"Pune","pincode":"411001","gender":"Female","points":"100","tier":"Base"}',
        1722227472000)
)
INSERT INTO identifier VALUES
    (:organisation, 1, :customer || '', :customer),
    (:organisation, 2, :customer || '.customer@example.com', :customer),
    (:organisation, 3, 'E' || :customer, :customer);
