import Glibc
import Telemetry
import Web

/// What room is left where something is kept. A full disk ends databases and half-written files in ways that only a person can mend, so a
/// house does not begin on one, and says so before it is full.
struct DiskSpace: Sendable {
    /// What the place is for, as metrics and readiness name it: `data` or `shared`.
    let name: String
    let path: String
    /// MiB without which nothing begins.
    let least: Int

    /// The places of a house, from its settings.
    init(_ name: String, _ path: String, _ settings: Configuration) throws {
        self.name = name
        self.path = path
        least = try settings.integer("LEAST_DISK_MIB", in: 0...1_048_576, default: 500)
    }

    /// Bytes that this process may still write there, or where the folder is going to be; nil when nobody can say.
    var free: UInt64? {
        var place = path
        while true {
            var status = statvfs()
            if statvfs(place, &status) == 0 { return UInt64(status.f_bavail) * UInt64(status.f_frsize) }
            guard errno == ENOENT, let slash = place.lastIndex(of: "/") else { return nil }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
            if place.isEmpty { return nil }
        }
    }

    /// - Throws: ``CommandError`` with the folder and what is free there, when that is too little to begin.
    func insist() throws {
        guard let free, free < UInt64(least) << 20 else { return }
        throw CommandError(
            "\(path) has room for \(free >> 20) MiB, and \(least) are needed to begin: make room, name another folder, or set "
                + "OPENLEDGER_LEAST_DISK_MIB")
    }

    /// Below this much of what is needed to begin a house that runs says that it is not ready.
    private var leastRunning: UInt64 { UInt64(least) << 20 / 5 }

    /// Holds while there is a fifth of what is needed to begin.
    var check: ReadinessCheck {
        ReadinessCheck("disk of \(name)") {
            guard let free, free < leastRunning else { return .ready }
            return .notReady("\(path) has room for \(free >> 20) MiB alone")
        }
    }

    /// Shows what is free as a metric, until the task is cancelled.
    static func watch(_ places: [DiskSpace], _ metrics: Metrics) async {
        guard !places.isEmpty else { return }
        let gauge = metrics.gauge(
            "openledger_disk_free_bytes", help: "Bytes that may still be written where something is kept.", labels: ["place"])
        while !Task.isCancelled {
            for place in places { if let free = place.free { gauge.with(place.name).set(Double(free)) } }
            try? await Task.sleep(for: .seconds(10))
        }
    }
}
