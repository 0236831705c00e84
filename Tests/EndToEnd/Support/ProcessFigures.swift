import Foundation

/// What a process holds, by the kernel's word.
struct ProcessFigures: CustomStringConvertible {
    let descriptors: Int
    let threads: Int
    let residentKiB: Int

    init(_ pid: Int32) throws {
        descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        let status = String(
            decoding: try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(pid)/status")).readToEnd() ?? Data(), as: UTF8.self)
        func number(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "") } ?? 0
        }
        threads = number("Threads")
        residentKiB = number("VmRSS")
    }

    var description: String { "\(descriptors) descriptors, \(threads) threads, \(residentKiB) KiB" }
}
