internal import Foundation
internal import Glibc

/// How much memory this process may have.
enum MachineMemory {
    /// Bytes: the machine's, or what its control group leaves it where that is less (`memory.max`, or `memory.limit_in_bytes` of the first
    /// version).
    static var bytes: Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].compactMap { path in
            (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        return limits.filter { $0 > 0 }.reduce(machine, min)
    }
}
