-- What wrk asks, in turn, from the file of requests that the environment names; the last line tells all as JSON.
-- The file holds each request as it goes over the wire, after its length on a line of its own.
local asks, turn = {}, 0

function init(args)
  local file = assert(io.open(os.getenv("REDMAP_BENCH_ASKS"), "rb"))
  for length in file:lines() do
    asks[#asks + 1] = file:read(tonumber(length))
  end
  file:close()
end

function request()
  turn = turn % #asks + 1
  return asks[turn]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answers": %d, "refused": %d, "lost": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
