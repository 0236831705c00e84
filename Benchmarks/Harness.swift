import Foundation
@preconcurrency import Glibc
import PrivatePostgres

/// What a run of a benchmark gave.
struct Figures {
    /// Operations in all.
    var count: Int
    /// Wall time in seconds.
    var seconds: Double
    /// CPU time of this process in seconds.
    var cpu: Double
    /// What of it the log's own threads used.
    var logCPU = 0.0
    /// Latency of each operation in seconds, sorted; empty where it was not taken.
    var latencies: [Double] = []

    var perSecond: Double { Double(count) / seconds }
    func percentile(_ part: Double) -> Double {
        latencies.isEmpty ? 0 : latencies[min(latencies.count - 1, Int(Double(latencies.count) * part))]
    }
}

/// Seconds of CPU that this process has used.
func processCPU() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Seconds of CPU that the log's own threads have used: those of its connections to PostgreSQL, on which it writes and flushes. They look for
/// the next batch for a moment before they sleep, for whom and by what way it ever comes.
func logCPU() -> Double {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    let ticks = tasks.reduce(0) { sum, task in
        // "TID (NAME) STATE …": user and system time are the 12th and 13th field behind the name (proc(5)).
        guard let line = try? String(contentsOfFile: "/proc/self/task/\(task)/stat", encoding: .utf8), line.contains("(pg-openledger"),
            let rest = line.split(separator: ")").last
        else { return sum }
        let fields = rest.split(separator: " ")
        return fields.count < 13 ? sum : sum + (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
    }
    return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
}

/// Seconds on the monotonic clock.
func monotonic() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// A line of a table.
func row(_ cells: String..., widths: [Int] = [44, 14, 12, 12, 12]) {
    var line = ""
    for (index, cell) in cells.enumerated() {
        let width = index < widths.count ? widths[index] : 12
        line +=
            index == 0
            ? cell.padding(toLength: max(width, cell.count), withPad: " ", startingAt: 0)
            : String(repeating: " ", count: max(1, width - cell.count)) + cell
    }
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

func thousands(_ value: Double) -> String {
    value >= 10_000 ? String(format: "%.1f k/s", value / 1000) : String(format: "%.0f /s", value)
}

func micro(_ seconds: Double) -> String {
    seconds >= 0.01 ? String(format: "%.1f ms", seconds * 1e3) : String(format: "%.0f µs", seconds * 1e6)
}

func ratio(_ value: Double) -> String { String(format: "%.2fx", value) }

/// The median of three or more rounds by throughput.
func median(_ rounds: [Figures]) -> Figures { rounds.sorted { $0.perSecond < $1.perSecond }[rounds.count / 2] }

/// Runs `count` operations spread over `callers` tasks and takes the time of each.
// Not specialised for its callers: the optimiser of Swift 6.3.1 fails on that.
@inline(never)
func load(callers: Int, count: Int, _ operation: @escaping @Sendable (Int) async throws -> Void) async throws -> Figures {
    let cpu = processCPU(), log = logCPU()
    let start = monotonic()
    let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
        for caller in 0..<callers {
            group.addTask {
                var mine: [Double] = []
                mine.reserveCapacity(count / callers + 1)
                var index = caller
                while index < count {
                    let before = monotonic()
                    try await operation(index)
                    mine.append(monotonic() - before)
                    index += callers
                }
                return mine
            }
        }
        var all: [Double] = []
        for try await part in group { all += part }
        return all
    }
    return Figures(
        count: count, seconds: monotonic() - start, cpu: processCPU() - cpu, logCPU: logCPU() - log, latencies: latencies.sorted())
}
