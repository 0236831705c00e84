internal import CConfine
internal import Glibc
internal import IngestDocuments

// openledger-confine SECONDS MEGABYTES PROGRAM [ARGUMENT…]   runs a program on hostile input
// openledger-confine SECONDS MEGABYTES --text html|docx      writes the text of the document on standard input
//
// in a process that may do nothing but read its input and write its output; CConfine says what it gives up.

private func say(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }
private func complain(_ text: String) { say("openledger-confine: \(text)\n") }

private func input(upTo limit: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= limit {
        let got = read(STDIN_FILENO, &buffer, buffer.count)
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { break }
        bytes += buffer[..<got]
    }
    return bytes
}

private func write(_ bytes: [UInt8], to file: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        sent += count
    }
    return true
}

private func text(of kind: DocumentKind) -> Int32 {
    cdocumentsEndWithoutMemory()
    do throws(DocumentFault) {
        let found = try kind.text(of: input(upTo: DocumentLimits.document))
        if let leftOut = found.leftOut { say(leftOut) }
        return write(found.text, to: STDOUT_FILENO) ? DocumentExit.read : DocumentExit.cut
    } catch {
        say(error.reason)
        return error.status
    }
}

private func main() -> Int32 {
    let arguments = CommandLine.arguments
    guard arguments.count >= 4, let seconds = UInt64(arguments[1]), let megabytes = UInt64(arguments[2]), seconds > 0, megabytes > 0 else {
        complain("usage: openledger-confine SECONDS MEGABYTES PROGRAM [ARGUMENT…] or --text html|docx; the limits are positive numbers")
        return 125
    }
    let status = openledger_confine(seconds, megabytes)
    guard status == 0 else { return status }
    if arguments[3] == "--text" {
        guard arguments.count == 5, let kind = DocumentKind(rawValue: arguments[4]) else {
            complain("--text takes html or docx")
            return 125
        }
        return text(of: kind)
    }
    var command = arguments[3...].map { strdup($0) }
    command.append(nil)
    return openledger_execute(command)
}

exit(main())
