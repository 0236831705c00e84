internal import CCurl
internal import Glibc
internal import HTTP

/// One transfer on the curl thread: its easy handle, and what libcurl calls back.
final class CurlExchange {
    let transfer: CurlTransfer
    let handle: UnsafeMutableRawPointer
    let server: String
    /// Whether the loop is to call `deliver` after this round.
    var isTouched = false

    var fieldLines: UnsafeMutablePointer<curl_slist>?
    let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private let touch: (CurlExchange) -> Void
    private(set) var head = ResponseHeadParser()
    private var bodyBytes = 0
    /// The answer is whole although the request may not be, and the server wants no more of it.
    private(set) var isAnswered = false
    private var answersEarly = false
    private var length: Int?
    /// How often the request was begun on a connection.
    private(set) var attempts = 0
    /// Why a callback told libcurl to stop.
    private(set) var refusal: HTTPClientError?

    private let deadline: Int64?
    private let stall: Int64?
    private var lastProgress: Int64
    private var progressMark = 0

    init(_ transfer: CurlTransfer, handle: UnsafeMutableRawPointer, touch: @escaping (CurlExchange) -> Void) {
        self.transfer = transfer
        self.handle = handle
        self.touch = touch
        let now = MonotonicClock.milliseconds()
        server = URLParts(transfer.request.url)?.origin ?? "the server"
        deadline = transfer.request.timeout.map { now + $0.milliseconds }
        stall = transfer.request.stallTimeout.map { max(1, $0.milliseconds) }
        lastProgress = now
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit { errorText.deallocate() }

    /// The exchange a handle belongs to, while the loop holds it.
    static func of(_ handle: UnsafeMutableRawPointer) -> CurlExchange? {
        var context: UnsafeMutableRawPointer?
        guard ccurl_get_pointer(handle, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { return nil }
        return Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    }

    func release() {
        curl_slist_free_all(fieldLines)
        fieldLines = nil
    }

    /// Goes on where a callback paused; libcurl asks again for what it may not do yet.
    func resume() -> HTTPClientError? {
        let code = curl_easy_pause(handle, CURLPAUSE_CONT)
        guard code != CURLE_OK, case .failure(let error) = outcome(code) else { return nil }
        return error
    }

    // MARK: limits on time

    /// When `checkLimits` wants to be called next.
    var nextCheck: Int64? {
        guard let stall else { return deadline }
        let tick = MonotonicClock.milliseconds() + max(1, stall / 8)
        return min(deadline ?? .max, tick)
    }

    func checkLimits(now: Int64) -> HTTPClientError? {
        if let deadline, deadline <= now { return .timedOut(.whole, server: server, sent: attempts > 0) }
        guard let stall else { return nil }
        let mark = progress
        let isOurTurn = attempts == 0 || transfer.isHeldBack || transfer.upload?.isStarved == true
        if mark != progressMark || isOurTurn {
            progressMark = mark
            lastProgress = now
        }
        return now - lastProgress >= stall ? .timedOut(.stall, server: server, sent: true) : nil
    }

    private var progress: Int {
        var sent: curl_off_t = 0
        ccurl_get_size(handle, CURLINFO_SIZE_UPLOAD_T, &sent)
        return Int(sent) + head.total + bodyBytes
    }

    // MARK: what libcurl calls

    /// A connection is there and the request about to be sent. False stops it.
    func beginRequest() -> Bool {
        attempts += 1
        guard attempts > 1 else { return true }
        // libcurl sends a request again, whatever its method, when a kept connection dies without an answer.
        if transfer.request.mayBeRepeated, (transfer.upload?.sent ?? 0) == 0 { return true }
        refusal = .transport(
            code: Int32(CURLE_GOT_NOTHING.rawValue),
            text: "\(server) closed the connection before it answered; the request may have been carried out", sent: true)
        return false
    }

    func receiveHead(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        do throws(HTTPClientError) {
            guard let complete = try head.take(line) else { return true }
            length = announcedLength(complete)
            if let length, length > transfer.request.maximumBodyBytes {
                throw .bodyTooLarge(limit: transfer.request.maximumBodyBytes)
            }
            answersEarly = hasBody && (complete.status >= 300 || complete.closesConnection)
            transfer.receive(complete)
            markTouched()
            return true
        } catch {
            refusal = error
            return false
        }
    }

    private var hasBody: Bool { !transfer.request.body.isEmpty }

    /// libcurl no longer wants to read. It would go on sending, or wait for its turn to, when a server answers early
    /// and announces that it closes: until the server does, and that could break the answer off.
    func stopsReading() {
        guard answersEarly, !transfer.isHeldBack else { return }
        isAnswered = true
        markTouched()
    }

    var hasWholeEarlyAnswer: Bool { answersEarly && length == bodyBytes }

    private func announcedLength(_ head: ResponseHead) -> Int? {
        if transfer.request.method == "HEAD" || head.status == 204 || head.status == 304 { return nil }
        return head.headers["Content-Length"].flatMap { Int($0) }
    }

    /// What the write callback answers.
    func receiveBody(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard bytes.count <= transfer.request.maximumBodyBytes - bodyBytes else {
            refusal = .bodyTooLarge(limit: transfer.request.maximumBodyBytes)
            return 0
        }
        // libcurl brings the same bytes again after a pause: they count when they are taken.
        guard transfer.receive(bytes) else { return Int(CURL_WRITEFUNC_PAUSE) }
        bodyBytes += bytes.count
        markTouched()
        return bytes.count
    }

    /// What the read callback answers.
    func sendBody(_ target: UnsafeMutableRawBufferPointer) -> Int {
        switch transfer.upload?.read(into: target) {
        case .bytes(let count): count
        case .wait: Int(CURL_READFUNC_PAUSE)
        case .end, nil: 0
        }
    }

    private func markTouched() {
        if isTouched { return }
        isTouched = true
        touch(self)
    }
}
