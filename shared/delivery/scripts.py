"""What runs inside Redis. Every script touches the keys of one partition only.

A script that changes anything first compares the fence; where it differs, nothing happens.
"""

# KEYS: fence. Answers {epoch, next, gen} of the new owner, nothing where there is no fence.
CLAIM = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local rest = redis.call('HMGET', KEYS[1], 'next', 'gen')
return {epoch, tonumber(rest[1]), tonumber(rest[2])}
"""

# KEYS: fence, generations. ARGV: seconds that an abandoned attempt is remembered.
# Answers {a generation nobody has had, the fence's epoch or 0}.
BEGIN = """
local fence = redis.call('HMGET', KEYS[1], 'epoch', 'gen')
local last = math.max(tonumber(fence[2] or 0), tonumber(redis.call('GET', KEYS[2]) or 0))
redis.call('SET', KEYS[2], last + 1, 'EX', ARGV[1])
return {last + 1, tonumber(fence[1] or 0)}
"""

# KEYS: fence; of the new generation touched, waiting. ARGV: the epoch that BEGIN saw, generation,
#       next.
# Answers {the new epoch, the generation before or 0}; nothing when the fence has moved on.
ACTIVATE = """
local fence = redis.call('HMGET', KEYS[1], 'epoch', 'gen')
if tonumber(fence[1] or 0) ~= tonumber(ARGV[1]) then return false end
redis.call('DEL', KEYS[1])
redis.call('PERSIST', KEYS[2])
redis.call('PERSIST', KEYS[3])
local epoch = tonumber(ARGV[1]) + 1
redis.call('HSET', KEYS[1], 'epoch', epoch, 'gen', ARGV[2], 'next', ARGV[3], 'base', ARGV[3])
return {epoch, tonumber(fence[2] or 0)}
"""

# Digests travel as one text of equal widths, increments as one JSON text: a client spends more on
# thousands of arguments than the server spends on cutting them. `cut` hands them on in portions
# that fit Lua's stack.
CUT = """
local function cut(text, width, each)
  local portion = {}
  for at = 1, #text, width do
    portion[#portion + 1] = string.sub(text, at, at + width - 1)
    if #portion == 1000 then each(portion); portion = {} end
  end
  if #portion > 0 then each(portion) end
end
"""

# KEYS: sets of digests. ARGV: width, digests. Answers the places, from 0, of those in any set.
KNOWN = (
    CUT
    + """
local found = {}
for _, key in ipairs(KEYS) do
  local at = 0
  cut(ARGV[2], tonumber(ARGV[1]), function(portion)
    for i, yes in ipairs(redis.call('SMISMEMBER', key, unpack(portion))) do
      if yes == 1 then found[#found + 1] = at + i - 1 end
    end
    at = at + #portion
  end)
end
return found
"""
)

# KEYS: fence, seen, touched, waiting, then one per hash of increments.
# ARGV: epoch, next, generation, new next; JSON of {counters, hashes}; width, digests, their TTL;
#       how many waiting entries to add, and they as field, value; then waiting fields that must
#       exist and are removed. `hashes` has for each KEY: member name, TTL, and increments as
#       {prefix: {measure: delta as text, because a double would lose the last unit}}.
APPLY = (
    CUT
    + """
local fence = redis.call('HMGET', KEYS[1], 'epoch', 'next', 'gen')
if fence[1] ~= ARGV[1] or fence[2] ~= ARGV[2] or fence[3] ~= ARGV[3] then return 0 end
local joined = 10 + 2 * tonumber(ARGV[9])
-- Someone else joined one of these already: nothing of this call may happen.
for i = joined, #ARGV do
  if redis.call('HEXISTS', KEYS[4], ARGV[i]) == 0 then return -1 end
end
for i = joined, #ARGV do redis.call('HDEL', KEYS[4], ARGV[i]) end
for i = 10, joined - 1, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
if #ARGV[7] > 0 then
  cut(ARGV[7], tonumber(ARGV[6]), function(portion)
    redis.call('SADD', KEYS[2], unpack(portion))
  end)
  redis.call('EXPIRE', KEYS[2], ARGV[8])
end
local change = cjson.decode(ARGV[5])
for name, delta in pairs(change.counters) do redis.call('HINCRBY', KEYS[1], name, delta) end
for k, hash in ipairs(change.hashes) do
  local key = KEYS[4 + k]
  for prefix, cell in pairs(hash[3]) do
    for measure, delta in pairs(cell) do redis.call('HINCRBY', key, prefix .. measure, delta) end
  end
  redis.call('EXPIRE', key, hash[2])
  redis.call('ZADD', KEYS[3], ARGV[4], hash[1])
end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return 1
"""
)

# KEYS: fence, waiting, then cells. ARGV: generation.
# Answers {next, waiting, {cells}}, all of one instant; nothing when this generation is not in use.
LOOK = """
local fence = redis.call('HMGET', KEYS[1], 'next', 'gen')
if fence[2] ~= ARGV[1] then return false end
local cells = {}
for k = 3, #KEYS do cells[k - 2] = redis.call('HGETALL', KEYS[k]) end
return {tonumber(fence[1]), redis.call('HGETALL', KEYS[2]), cells}
"""
