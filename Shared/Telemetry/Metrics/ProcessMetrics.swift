internal import Glibc

extension Metrics {
    /// Adds what Prometheus clients tell of their process: memory, descriptors, CPU time, start time. Read from /proc when asked.
    public func addProcess() {
        sample("process_resident_memory_bytes", help: "Resident memory.") { ProcessStatus.pages(field: 1) }
        sample("process_virtual_memory_bytes", help: "Virtual memory.") { ProcessStatus.pages(field: 0) }
        sample("process_open_fds", help: "Open file descriptors.") { ProcessStatus.openDescriptors() }
        sample("process_max_fds", help: "Limit of open file descriptors.") { ProcessStatus.descriptorLimit() }
        sample("process_cpu_seconds_total", help: "CPU time used, user and system.", isCounter: true) { ProcessStatus.cpuSeconds() }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let started = Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9 - (ProcessStatus.secondsSinceStart() ?? 0)
        sample("process_start_time_seconds", help: "When the process started, seconds since 1970.") { started }
    }
}

enum ProcessStatus {
    static func pages(field: Int) -> Double? {
        guard let words = SmallFile.read("/proc/self/statm")?.split(separator: 0x20), words.count > field,
            let count = Double(String(decoding: words[field], as: UTF8.self))
        else { return nil }
        return count * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    static func openDescriptors() -> Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        // ".", ".." and the descriptor of this very look do not count.
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return Double(count)
    }

    static func descriptorLimit() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }

    static func cpuSeconds() -> Double? {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    static func secondsSinceStart() -> Double? {
        // Field 22 of proc(5) stat, counted behind the command name, which may hold spaces and brackets.
        guard let stat = SmallFile.read("/proc/self/stat"), let bracket = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let words = stat[(bracket + 1)...].split(separator: 0x20)
        guard words.count > 19, let ticks = Double(String(decoding: words[19], as: UTF8.self)) else { return nil }
        var up = timespec()
        clock_gettime(CLOCK_BOOTTIME, &up)
        return Double(up.tv_sec) + Double(up.tv_nsec) * 1e-9 - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
