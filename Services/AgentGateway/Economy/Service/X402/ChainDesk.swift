internal import AgentEconomyDomain
internal import Crypto
internal import EVM
internal import Events
internal import JSON

/// Carries signed transfers out on a chain, one transaction after another, with the facilitator's key. A transfer happens once however
/// often it is asked for: its contract keeps its nonce.
actor ChainDesk {
    /// What came of it.
    enum Outcome: Sendable {
        case done(transaction: String)
        case failed(String)
        case pending(transaction: String?)
    }

    private let node: ChainNode
    private let token: PaymentNetworks.Token
    private let key: Secp256k1PrivateKey
    private let sender: EVMAddress
    private var isSending = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ node: ChainNode, _ token: PaymentNetworks.Token, key: Secp256k1PrivateKey) {
        self.node = node
        self.token = token
        self.key = key
        sender = EVMAddress(key.publicKey)
    }

    /// Throws unless the chain would carry it out now.
    func check(_ word: SignedWord) async throws {
        guard let transfer = word.transfer else { throw PaymentError.scheme(word.word.scheme) }
        if try await isUsed(transfer) { throw PaymentError.used(scheme: "exact") }
        let has = try await node.read(token.address, TokenCall.balance(of: word.from))
        guard word.value <= has else {
            throw PaymentError.insufficient("\(word.from) has not as much of the token as it signed for")
        }
        do { _ = try await estimate(transfer.call(word.signature)) } catch ChainNode.Trouble.refused(let why) {
            throw PaymentError.transaction(why)
        }
    }

    private func isUsed(_ transfer: TransferAuthorization) async throws -> Bool {
        try await node.read(token.address, TokenCall.isUsed(transfer.nonce, of: transfer.from)) != Word(0)
    }

    private func estimate(_ data: [UInt8]) async throws -> UInt128 {
        try await node.number(
            "eth_estimateGas",
            [["from": .string(sender.description), "to": .string(token.address.description), "data": .string(ChainNode.hex(data))]])
    }

    /// Carries it out, and waits for the receipt as long as somebody may wait for an answer.
    /// - Parameters:
    ///   - known: the transaction that was sent before, where one was.
    ///   - note: writes the transaction's hash down before it is sent.
    func carryOut(
        _ word: SignedWord, known: String?, note: @Sendable (String) async throws -> Void
    ) async throws -> Outcome {
        guard let transfer = word.transfer else { return .failed("unsupported_scheme") }
        if let known, let outcome = try await receipt(of: known, transfer, patience: 1) { return outcome }
        if try await isUsed(transfer) { return .done(transaction: known ?? transfer.nonce.hex) }
        await begin()
        defer { end() }
        let data = transfer.call(word.signature)
        var gas: UInt128 = 0
        do { gas = try await estimate(data) } catch ChainNode.Trouble.refused {
            // Somebody else may have carried it out meanwhile: then it is paid.
            guard try await isUsed(transfer) else { return .failed("transaction_failed") }
            return .done(transaction: known ?? transfer.nonce.hex)
        }
        let signed = try await transaction(data, gas: gas).signed(by: key)
        try await note(signed.hash.hex)
        do { _ = try await node.ask("eth_sendRawTransaction", [.string(ChainNode.hex(signed.raw))]) } catch {
            // Whether it came there is not known: the receipt will tell.
            return .pending(transaction: signed.hash.hex)
        }
        return try await receipt(of: signed.hash.hex, transfer, patience: 100) ?? .pending(transaction: signed.hash.hex)
    }

    private func transaction(_ data: [UInt8], gas: UInt128) async throws -> FeeMarketTransaction {
        let nonce = try await node.number("eth_getTransactionCount", [.string(sender.description), "pending"])
        let block = try await node.ask("eth_getBlockByNumber", ["latest", .bool(false)])
        let base = block["baseFeePerGas"]?.stringValue.flatMap(ChainNode.number) ?? 1_000_000_000
        let tip: UInt128 = 1_000_000_000
        return FeeMarketTransaction(
            chainID: UInt64(token.chain), nonce: UInt64(clamping: nonce), priorityFee: tip, maximumFee: 2 * base + tip,
            gas: UInt64(clamping: gas + gas / 4), to: token.address, data: data)
    }

    private func receipt(of hash: String, _ transfer: TransferAuthorization, patience: Int) async throws -> Outcome? {
        for attempt in 0..<patience {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(200)) }
            let receipt = try await node.ask("eth_getTransactionReceipt", [.string(hash)])
            guard let status = receipt["status"]?.stringValue.flatMap(ChainNode.number) else { continue }
            if status == 1 { return .done(transaction: hash) }
            guard try await isUsed(transfer) else { return .failed("transaction_failed") }
            return .done(transaction: hash)
        }
        return nil
    }

    /// One transaction at a time: the sender's numbers follow each other.
    private func begin() async {
        if isSending { await withCheckedContinuation { waiting.append($0) } }
        isSending = true
    }

    private func end() {
        if waiting.isEmpty { isSending = false } else { waiting.removeFirst().resume() }
    }
}
