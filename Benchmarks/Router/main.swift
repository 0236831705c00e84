import Foundation

// router-simulation [requests]: the gateway's own router beside what is usual and beside what is possible. Deterministic: the same
// table on every machine. LOAD_MS sets what bringing in an adapter takes on average, SLOTS how many a backend holds.
/// Writes a line at once.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

let environment = ProcessInfo.processInfo.environment
let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 400_000
let adapters = 10_000
let loadTime = environment["LOAD_MS"].flatMap { Double($0) } ?? 60
let slots = environment["SLOTS"].flatMap { Int($0) } ?? 64
let service = 400_000.0

// Adapters differ in size: from half to twice the usual time, or by another factor in SPREAD.
let spread = environment["SPREAD"].flatMap { Double($0) } ?? 2
var random = Random(7)
var world = World()
world.slots = slots
world.loads = 4
world.loadTimes = (0..<adapters).map { _ in Int64(loadTime * 1_000 * pow(spread, 2 * random.unit() - 1)) }

say(
    "\(adapters) adapters, \(count) requests, \(slots) slots and \(world.concurrency) places a backend, \(Int(loadTime)) ms to bring one in"
)
say("hit rate; p50 and p99 of the wait until an answer begins, in ms. closed: part of the way from LRU to the clairvoyant optimum;")
say("and that of one cache without places and copies that knows by what law the requests are drawn, and not what will be drawn")
say(
    "trace      backends | optimum    LRU | hashing: hits  p50    p99 | LRU: hits  p50    p99 | router: hits  p50    p99 | closed | knowing"
)
for backends in environment["BACKENDS"].flatMap({ Int($0) }).map({ [$0] }) ?? [1, 4, 16, 64] {
    world.backends = backends
    // Six tenths of all places are taken.
    let rate = 0.6 * Double(backends * world.concurrency) / (service / 1_000_000)
    for trace in [
        Trace.zipf(0.9, count: count, adapters: adapters, rate: rate, service: service, seed: 1),
        Trace.zipf(1.1, count: count, adapters: adapters, rate: rate, service: service, seed: 2),
        Trace.bursty(0.9, count: count, adapters: adapters, rate: rate, service: service, seed: 3),
        Trace.drifting(1.0, count: count, adapters: adapters, rate: rate, service: service, seed: 4),
    ] where environment["TRACE"].map({ trace.name.hasPrefix($0) }) ?? true {
        let bounds = Bounds(trace, world)
        let (optimum, pooled, informed) = (bounds.optimum(), bounds.lru(), bounds.informed())
        var hashing = Simulation(trace, world, UsualRouting(world, hashes: true))
        var usual = Simulation(trace, world, UsualRouting(world, hashes: false))
        var shipped = Simulation(trace, world, ShippedRouter(world))
        let (hashed, recent, ours) = (hashing.run(), usual.run(), shipped.run())
        // LRU at its best: as one pool without copies, or as it comes out routed.
        let lru = max(pooled, recent.hitRate)
        func closed(_ rate: Double) -> String {
            optimum - lru < 0.001 ? "  no gap" : String(format: "%6.0f %%", (rate - lru) / (optimum - lru) * 100)
        }
        func column(_ result: Result) -> String {
            String(format: "%5.3f %5.0f %6.0f", result.hitRate, result.wait(0.5), result.wait(0.99))
        }
        let name = trace.name.padding(toLength: 10, withPad: " ", startingAt: 0)
        say(
            "\(name) \(String(format: "%8d", backends)) |   \(String(format: "%5.3f", optimum))  \(String(format: "%5.3f", lru)) |       "
                + "\(column(hashed)) |   \(column(recent)) |       \(column(ours)) | \(closed(ours.hitRate)) | \(closed(informed))"
                + (ours.refused > 0 ? "  refused \(ours.refused)" : ""))
    }
}
