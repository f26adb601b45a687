-- What wrk sends. The environment says what:
--   LOAD            single | batch | read | mixed | pocketbase
--   FIRST           the number of the first new customer
--   KNOWN           how many customers, by number from 0, can be read
--   AUTHORISATIONS  as lua/customer.lua reads them
-- At the end it prints one line of JSON.

package.path = os.getenv('BENCH_LUA') .. '/?.lua;' .. package.path
local customer = require('customer')

local BATCH = 50
local READS_OF_FIVE = 4 -- mixed: four of five requests read

local load = os.getenv('LOAD')
local first = tonumber(os.getenv('FIRST') or '0')
local known = tonumber(os.getenv('KNOWN') or '0')
customer.set_authorisations(os.getenv('AUTHORISATIONS') or '')

local threads = {}

function setup(thread)
  thread:set('id', #threads)
  table.insert(threads, thread)
end

function init()
  sent = 0
  turn = 0
  math.randomseed(first + id)
end

-- Numbers of one thread never meet those of the other.
local function next_number()
  sent = sent + 1
  return first + sent * 2 + id
end

local function single()
  local number = next_number()
  local body = '{"root":{"customer":[' .. customer.json(number) .. ']}}'
  return wrk.format('POST', '/v1.1/customer/add?format=json', customer.headers(number), body)
end

local function batch()
  local customers = {}
  -- One call is one organisation's.
  local number = next_number()
  local headers = customer.headers(number)
  for place = 1, BATCH do
    if place > 1 then number = next_number() end
    customers[place] = customer.json(number)
  end
  local body = '{"root":{"customer":[' .. table.concat(customers, ',') .. ']}}'
  return wrk.format('POST', '/v1.1/customer/add?format=json', headers, body)
end

local function read()
  local number = math.random(0, known - 1)
  local path = '/v1.1/customer/get?format=json&mobile=' .. customer.mobile(number)
  return wrk.format('GET', path, customer.headers(number))
end

local function mixed()
  turn = turn + 1
  if turn % 5 < READS_OF_FIVE then return read() end
  return single()
end

local function pocketbase()
  local body = customer.record(next_number())
  local headers = { ['Content-Type'] = 'application/json' }
  return wrk.format('POST', '/api/collections/customers/records', headers, body)
end

local requests = {
  single = single, batch = batch, read = read, mixed = mixed, pocketbase = pocketbase,
}
request = requests[load]

function done(summary, latency)
  local registered = 0
  for _, thread in ipairs(threads) do registered = registered + thread:get('sent') end
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"sent":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    registered, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
