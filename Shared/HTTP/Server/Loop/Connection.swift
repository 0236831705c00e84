internal import HTTP

/// One client, owned by one loop's thread and never seen by another.
final class Connection {
    let descriptor: Int32
    let slot: Int
    let generation: UInt32
    let remote: Sockets.Remote?
    /// Who holds it, without what a proxy may say of others.
    let holder: Peer
    /// Whether its requests may speak for other clients.
    let isProxy: Bool
    /// Whether it counts against its peer's limit.
    var isCounted: Bool { remote != nil && !isProxy }

    /// Received, not yet parsed.
    var pending: [UInt8] = []
    var parser: HeadParser
    var exchange: Exchange?
    var exchanges: UInt32 = 0
    var out = OutQueue()
    /// What of it the loop has counted.
    var countedOutput = 0

    // What the kernel has told: it says each thing once.
    var isReadable = false
    var isWritable = true
    var peerClosed = false

    var isClosed = false
    /// The reply is out and the write side shut; what still comes is thrown away.
    var isLingering = false
    var closeAfterFlush = false
    /// In the loop's list of those to flush, and of those to go on with.
    var isDirty = false
    var isReady = false

    /// Of the head, of idleness, or of lingering.
    var deadline: UInt64
    // Progress of a body within this window.
    var readMark = 0
    var readSince: UInt64 = 0
    // Progress of the output within this window; 0: nothing waits.
    var writeMark = 0
    var writeSince: UInt64 = 0
    var received = 0
    var sent = 0

    /// Answers waiting for a client that pipelines without reading: above this no more requests are taken.
    static let outHigh = 256 << 10

    init(descriptor: Int32, slot: Int, generation: UInt32, remote: Sockets.Remote?, isProxy: Bool, limits: Limits, deadline: UInt64) {
        self.descriptor = descriptor
        self.slot = slot
        self.generation = generation
        self.remote = remote
        self.isProxy = isProxy
        holder = TrustedProxies.holder(remote)
        parser = HeadParser(limits: limits)
        self.deadline = deadline
    }

    /// Whether what comes in now is wanted: a head, the rest of a body, or something to throw away.
    var wantsInput: Bool {
        if isLingering { return true }
        if closeAfterFlush { return false }
        if let exchange { return !exchange.inputDone && !exchange.isPaused }
        return out.count < Self.outHigh
    }

    /// Starts a new window for the body.
    func markInput(_ now: UInt64) {
        readSince = now
        readMark = received
    }
}
