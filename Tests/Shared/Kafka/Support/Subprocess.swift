import Glibc

/// Child processes by `posix_spawn`. Foundation's `Process` waits until every descendant has gone, and a launcher leaves
/// the broker behind on purpose.
enum Subprocess {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Starts a program whose standard input is a pipe.
    /// - Returns: the pipe's other end, which no child inherits: it is closed when this process ends, however it does.
    static func start(_ arguments: [String]) throws -> Int32 {
        let (read, write) = try pipe()
        defer { close(read) }
        _ = try spawn(arguments, [(read, 0)])
        return write
    }

    /// Runs a program to its end. Blocks.
    /// - Returns: its standard output.
    static func run(_ arguments: [String]) throws -> String {
        let (read, write) = try pipe()
        let pid: pid_t
        do {
            defer { close(write) }
            pid = try spawn(arguments, [(write, 1)])
        }
        defer { close(read) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let count = Glibc.read(read, &buffer, buffer.count), count > 0 { output += buffer[..<count] }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let text = String(decoding: output, as: UTF8.self)
        guard status == 0 else { throw Failure(description: "\(arguments) ended with \(status): \(text)") }
        return String(text.drop { $0.isWhitespace }.prefix { !$0.isNewline })
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw Failure(description: "pipe: \(errno)") }
        // A child that another thread starts at this very moment gets a copy, but only the two ends below matter.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(_ arguments: [String], _ descriptors: [(Int32, Int32)]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (from, to) in descriptors { posix_spawn_file_actions_adddup2(&actions, from, to) }
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
        guard status == 0 else { throw Failure(description: "\(arguments): \(String(cString: strerror(status)))") }
        return pid
    }
}
