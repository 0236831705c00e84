internal import CCurl
internal import Glibc
internal import HTTP
internal import Threads

/// HTTP/1.1 over TCP, TLS (1.2 and later) and UNIX sockets, by libcurl on a thread of its own. Connections are kept
/// and used again; redirects are answers, proxies are not used.
///
/// A request whose kept connection dies before the first byte of the answer is sent once more on a fresh one if that
/// does no harm, see `ClientRequest.isIdempotent`. A streamed body can't be sent twice: it always begins on a fresh one.
public final class CurlTransport: Transport {
    private let mailbox: CurlMailbox

    /// Starts the thread.
    /// - Throws: `HTTPClientError.transport` when the process has no descriptors left.
    public init(options: CurlOptions = CurlOptions()) throws(HTTPClientError) {
        guard Self.isReady else { throw .transport(code: 0, text: "libcurl does not start", sent: false) }
        let mailbox = try CurlMailbox()
        let poller = try FileDescriptor(epoll_create1(Int32(EPOLL_CLOEXEC)), of: "epoll_create1")
        self.mailbox = mailbox
        OSThread.start(name: "http-client") {
            Self.leaveBrokenPipesToCalls()
            CurlLoop(mailbox: mailbox, poller: poller, options: options)?.run()
            mailbox.markStopped()
        }
    }

    deinit { mailbox.post(.stop) }

    /// Sends a request; see `Transport`.
    public func send(_ request: ClientRequest) async throws -> ClientResponse {
        try request.validate()
        let transfer = CurlTransfer(request, mailbox: mailbox)
        let head = try await withTaskCancellationHandler {
            try await transfer.head()
        } onCancel: {
            transfer.abort(HTTPClientError.cancelled)
        }
        return ClientResponse(
            status: head.status, headers: head.headers, body: ResponseBody(source: CurlBody(transfer, self)))
    }

    /// Ends what is under way with `HTTPClientError.closed` and returns when every connection is closed and the thread
    /// is done. Later requests fail.
    public func close() async {
        mailbox.post(.stop)
        await mailbox.waitUntilStopped()
    }

    // Once for the process; Swift runs it once whichever thread comes first.
    private static let isReady = ccurl_global_init() == CURLE_OK

    /// OpenSSL writes without MSG_NOSIGNAL: on this thread a peer that has gone is an error, not the process's end.
    private static func leaveBrokenPipesToCalls() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
