/// How a child process ended.
public enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
    /// It ended by itself with this status.
    case exited(Int32)
    /// A signal ended it.
    case signalled(Int32)

    /// Exit status 0.
    public var isSuccess: Bool { self == .exited(0) }

    /// In words.
    public var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal): "ended by signal \(signal)"
        }
    }
}

extension Subprocess {
    /// Where a child's output goes.
    public enum Sink: Sendable {
        /// To /dev/null.
        case discarded
        /// To the same place as this process's own.
        case inherited
        /// Into memory: the last `limit` bytes are kept.
        case captured(limit: Int)
        /// Appended to a file, made with mode 0600.
        case file(String)
    }

    /// What a child reads.
    public enum Source: Sendable {
        /// Nothing: /dev/null.
        case nothing
        /// These bytes, then the end.
        case bytes([UInt8])
    }

    /// A signal to tie a child's life to this process's.
    public enum EndSignal: String, Sendable {
        /// SIGINT: PostgreSQL's fast shutdown.
        case interrupt = "INT"
        /// SIGTERM.
        case terminate = "TERM"
        /// SIGKILL.
        case kill = "KILL"
    }

    /// How to start a child.
    public struct Options: Sendable {
        /// The whole environment; nil passes this process's own on.
        public var environment: [String: String]?
        /// The folder to start in; nil keeps this process's.
        public var workingDirectory: String?
        /// A folder that is opened for the child, which finds it at `passedFolderPath`, even where its account could not
        /// walk there.
        public var passedFolder: String?
        /// What it reads.
        public var input: Source
        /// Where its standard output goes.
        public var output: Sink
        /// Where its standard error goes; nil: with the standard output.
        public var errors: Sink?
        /// The account to run as; only root may ask for one.
        public var account: Account?
        /// The signal the kernel sends it when this process ends, however it ends. Nil: it lives on.
        public var signalAtParentsEnd: EndSignal?

        /// Captures the last 64 KiB of output and errors together unless told otherwise.
        public init(
            environment: [String: String]? = nil, workingDirectory: String? = nil, passedFolder: String? = nil, input: Source = .nothing,
            output: Sink = .captured(limit: 65_536), errors: Sink? = nil, account: Account? = nil,
            signalAtParentsEnd: EndSignal? = nil
        ) {
            self.environment = environment
            self.workingDirectory = workingDirectory
            self.passedFolder = passedFolder
            self.input = input
            self.output = output
            self.errors = errors
            self.account = account
            self.signalAtParentsEnd = signalAtParentsEnd
        }
    }

    /// Where a child sees its `passedFolder`.
    public static let passedFolderPath = "/proc/self/fd/\(passedFolderNumber)"
    static let passedFolderNumber: Int32 = 10

    /// What a finished child left behind.
    public struct Outcome: Sendable {
        /// How it ended.
        public let status: ExitStatus
        /// Its standard output, as captured.
        public let output: String
        /// Its standard error, where that was captured apart.
        public let errors: String
        /// Whether it was killed because its time was up.
        public let timedOut: Bool
    }

    /// Why a child could not be started.
    public struct StartError: Error, CustomStringConvertible {
        /// The program.
        public let program: String
        /// The system's error number.
        public let code: Int32
        /// In words.
        public var description: String { "cannot start \(program): \(systemMessage(code))" }
    }
}
