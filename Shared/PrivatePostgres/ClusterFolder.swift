import Glibc

/// Where a cluster's files lie, and who may reach them.
///
/// ```
/// <directory>/       0700, the server's account
///   lock             held by the process that runs the cluster
///   data/            PostgreSQL's
///   run/             the socket, where its path is short enough and reachable
///   socket-folder    the place of the socket, where it is not
///   password         the superuser's, asked for over TCP only
///   start.log        what the server said before its own log was open
/// ```
struct ClusterFolder {
    static let certificateFile = "openledger-tls.crt"
    static let keyFile = "openledger-tls.key"
    /// sockaddr_un has 108 bytes, the last of them zero; `/.s.PGSQL.65535` takes 15.
    static let longestSocketFolder = 107 - 15

    let directory: String
    /// The account the server runs as; nil: this process's own.
    let account: Account?
    /// Whether the server's account cannot walk to `directory` by its path, as when it lies in root's home.
    let isHidden: Bool

    var data: String { directory + "/data" }
    var draft: String { directory + "/data.new" }
    var password: String { directory + "/password" }
    var startLog: String { directory + "/start.log" }
    var processFile: String { data + "/postmaster.pid" }
    private var socketRecord: String { directory + "/socket-folder" }

    /// Makes the folder ready. The owner of data that is there already stays the account to run as.
    init(_ path: String) throws(ClusterError) {
        directory = Files.absolute(path)
        var account = try Account.forServer()
        if account != nil, let owner = Files.status(directory + "/data"), owner.st_uid != 0 {
            account = Account(name: "uid \(owner.st_uid)", uid: owner.st_uid, gid: owner.st_gid)
        }
        self.account = account
        try Files.makeFolder(directory, owner: account)
        isHidden = account.map { [directory] in !Self.canReach(directory, $0) } ?? false
    }

    /// How a program is told of a folder: by its path, or, where it could not walk there, as one opened for it.
    func argument(for folder: String) -> String { isHidden ? Subprocess.passedFolderPath : folder }

    /// The folder to open for a program; nil where it can walk there.
    func passed(_ folder: String) -> String? { isHidden ? folder : nil }

    /// The major version of the data that is there.
    var dataVersion: Int? {
        Files.text(data + "/PG_VERSION").flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }

    /// The folder for the socket, made ready.
    func makeSocketFolder() throws(ClusterError) -> String {
        removeSocketFolder()
        let near = directory + "/run"
        if !isHidden && near.utf8.count <= Self.longestSocketFolder {
            try Files.makeFolder(near, owner: account)
            return near
        }
        var template = Array("/tmp/openledger-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Files.failure("/tmp", "make a folder in") }
        let made = Files.text(template)
        try remakeSocketFolder(made)
        return made
    }

    /// Makes the folder for the socket again where it was.
    func remakeSocketFolder(_ path: String) throws(ClusterError) {
        if path != directory + "/run" { try Files.write(path, to: socketRecord, owner: account) }
        try Files.makeFolder(path, owner: account)
    }

    /// Removes what an earlier run left of its socket.
    func removeSocketFolder() {
        Files.removeTree(directory + "/run")
        guard let recorded = Files.text(socketRecord), recorded.hasPrefix("/tmp/openledger-pg-") else { return }
        unlink(socketRecord)
        // Only where it is still ours: anyone may make names in /tmp.
        if let info = Files.status(recorded), info.st_uid == account?.uid ?? geteuid() { Files.removeTree(recorded) }
    }

    /// The end of what the server has said, for an error.
    var logTail: String {
        let logs = data + "/log"
        let newest = Files.names(in: logs).map { logs + "/" + $0 }
            .max { (Files.status($0)?.st_mtim.tv_sec ?? 0) < (Files.status($1)?.st_mtim.tv_sec ?? 0) }
        let parts = [startLog, newest].compactMap { $0.flatMap { Files.text($0, last: 3000) } }
        return parts.joined().trimmingNewlines
    }

    private static func canReach(_ path: String, _ account: Account) -> Bool {
        var current = ""
        for name in path.split(separator: "/") {
            current += "/" + name
            var info = stat()
            guard stat(current, &info) == 0 else { return false }
            let bit: mode_t = info.st_uid == account.uid ? 0o100 : info.st_gid == account.gid ? 0o010 : 0o001
            if info.st_mode & bit == 0 { return false }
        }
        return true
    }
}

extension String {
    var trimmingNewlines: String {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
