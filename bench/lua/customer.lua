-- Customers by number. Neighbours in number lie far apart by every identifier, as people do who
-- come to tills at random.

local M = {}

local SPREAD = 3999999979 -- a prime: as many mobile numbers
local SHARDS = 8 -- as many organisations

-- number * factor % SPREAD, exact in doubles.
local function scatter(number, factor)
  local high = math.floor(number / 4096)
  return ((high * factor % SPREAD) * 4096 + (number % 4096) * factor) % SPREAD
end

function M.mobile(number)
  return string.format('91%d', 6000000000 + scatter(number, 1597334677))
end

function M.external_id(number)
  return string.format('E%010d', scatter(number, 1181783497))
end

function M.email(number)
  return string.format('%d.customer@example.com', scatter(number, 861292493))
end

function M.organisation(number)
  return number % SHARDS + 1
end

function M.json(number)
  return string.format(
    '{"mobile":"%s","email":"%s","external_id":"%s","firstname":"Asha","lastname":"Kulkarni-%d",' ..
    '"registered_on":"2024-07-29 10:11:12","type":"LOYALTY","source":"INSTORE",' ..
    '"custom_fields":{"field":[{"name":"City_name","value":"Pune"},{"name":"pincode","value":"411001"},' ..
    '{"name":"address","value":"12 Fergusson College Road, Shivajinagar"}]},' ..
    '"extended_fields":{"field":[{"name":"gender","value":"Female"},{"name":"city","value":"Pune"},' ..
    '{"name":"age","value":"34"}]},' ..
    '"commChannels":[{"type":"mobile","value":"%s","primary":"true","verified":"true","meta":{"residence":"true"}},' ..
    '{"type":"email","value":"%s","primary":"false","verified":"false","meta":{"residence":"false"}}]}',
    M.mobile(number), M.email(number), M.external_id(number), number % 1000, M.mobile(number), M.email(number))
end

-- The same customer as PocketBase takes it.
function M.record(number)
  return string.format(
    '{"mobile":"%s","email":"%s","external_id":"%s","firstname":"Asha","lastname":"Kulkarni-%d",' ..
    '"registered_on":"2024-07-29 10:11:12","type":"LOYALTY","source":"INSTORE","city":"Pune",' ..
    '"pincode":"411001","gender":"Female","organisation":%d,"points":100,"tier":"Base"}',
    M.mobile(number), M.email(number), M.external_id(number), number % 1000, M.organisation(number))
end

-- `Authorization` of the till of each organisation, comma separated base64.
M.authorisation = {}

function M.set_authorisations(list)
  for entry in string.gmatch(list, '[^,]+') do
    table.insert(M.authorisation, 'Basic ' .. entry)
  end
end

function M.headers(number)
  return {
    ['Content-Type'] = 'application/json',
    ['Authorization'] = M.authorisation[M.organisation(number)],
  }
end

return M
