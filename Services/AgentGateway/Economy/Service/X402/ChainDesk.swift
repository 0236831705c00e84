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
        guard let signature = word.signature else { throw PaymentError.signature(scheme: "exact") }
        do { _ = try await estimate(transfer.call(signature)) } catch ChainNode.Trouble.refused(let why) {
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
        guard let transfer = word.transfer, let signature = word.signature else { return .failed("unsupported_scheme") }
        if let known, try await isPaid(known, transfer) == true { return .done(transaction: known) }
        if let outcome = try await end(of: transfer, known: known) { return outcome }
        await begin()
        defer { end() }
        let data = transfer.call(signature)
        var gas: UInt128 = 0
        do { gas = try await estimate(data) } catch ChainNode.Trouble.refused {
            // Somebody else may have used its nonce meanwhile. Otherwise it may yet be carried out, until its time is over.
            return try await end(of: transfer, known: known) ?? .pending(transaction: known)
        }
        let signed = try await transaction(data, gas: gas).signed(by: key)
        try await note(signed.hash.hex)
        do { _ = try await node.ask("eth_sendRawTransaction", [.string(ChainNode.hex(signed.raw))]) } catch {
            // Whether it came there is not known: the receipt will tell.
            return .pending(transaction: signed.hash.hex)
        }
        for attempt in 0..<100 {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(200)) }
            guard let isPaid = try await self.isPaid(signed.hash.hex, transfer) else { continue }
            if isPaid { return .done(transaction: signed.hash.hex) }
            return try await end(of: transfer, known: nil) ?? .pending(transaction: signed.hash.hex)
        }
        return .pending(transaction: signed.hash.hex)
    }

    /// How it ended, where it has: its nonce is used up by whoever, or its time is over. That the nonce is used says nothing of the money:
    /// a payer can cancel an authorisation, or use its name for another. Only a transaction whose logs say that this amount went from
    /// this payer to this payee under this nonce has paid it.
    private func end(of transfer: TransferAuthorization, known: String?) async throws -> Outcome? {
        let block = try await node.ask("eth_getBlockByNumber", ["latest", .bool(false)])
        guard let time = block["timestamp"]?.stringValue.flatMap(ChainNode.number),
            let number = block["number"]?.stringValue.flatMap(ChainNode.number)
        else { throw ChainNode.Trouble.away("eth_getBlockByNumber gave no block") }
        let isOver = transfer.validBefore <= Word(time)
        guard try await isUsed(transfer) else {
            return isOver ? .failed("invalid_exact_evm_payload_authorization_valid_before") : nil
        }
        let found = try await node.ask(
            "eth_getLogs",
            [
                [
                    "address": .string(token.address.description),
                    "topics": [
                        .texts([Self.topic(Self.usedEvent), Self.topic(Self.canceledEvent)]), .string(Word(transfer.from).hex),
                        .string(transfer.nonce.hex),
                    ],
                    "fromBlock": ChainNode.quantity(number > Self.lookback ? number - Self.lookback : 0), "toBlock": "latest",
                ]
            ])
        var isElsewhere = false
        for log in found.arrayValue ?? [] {
            guard let hash = log["transactionHash"]?.stringValue else { continue }
            guard let isPaid = try await self.isPaid(hash, transfer) else { continue }
            if isPaid { return .done(transaction: hash) }
            isElsewhere = true
        }
        // A node that does not know yet who used it is asked again, as long as anything could come of it.
        return isElsewhere || isOver ? .failed("invalid_exact_evm_nonce_already_used") : .pending(transaction: known)
    }

    /// Blocks that are searched for who used a nonce: more than pass while a payment is open, and what nodes give at once.
    private static let lookback: UInt128 = 9_000

    private static func topic(_ event: String) -> String { ChainNode.hex(Keccak256.hash(Array(event.utf8))) }

    // Topics of EIP-3009.
    private static let usedEvent = "AuthorizationUsed(address,bytes32)"
    private static let canceledEvent = "AuthorizationCanceled(address,bytes32)"

    private static func used(_ transfer: TransferAuthorization) -> [String] {
        [topic(usedEvent), Word(transfer.from).hex, transfer.nonce.hex]
    }

    /// Whether a transaction made the transfer, by its receipt's logs; nil while there is no receipt.
    private func isPaid(_ hash: String, _ transfer: TransferAuthorization) async throws -> Bool? {
        let receipt = try await node.ask("eth_getTransactionReceipt", [.string(hash)])
        guard let status = receipt["status"]?.stringValue.flatMap(ChainNode.number) else { return nil }
        guard status == 1 else { return false }
        let moved = [Self.topic("Transfer(address,address,uint256)"), Word(transfer.from).hex, Word(transfer.to).hex]
        var (isUsed, isMoved) = (false, false)
        for log in receipt["logs"]?.arrayValue ?? [] {
            guard log["address"]?.stringValue?.lowercased() == token.address.description else { continue }
            let topics = (log["topics"]?.arrayValue ?? []).compactMap { $0.stringValue?.lowercased() }
            if topics == Self.used(transfer) { isUsed = true }
            if topics == moved, log["data"]?.stringValue?.lowercased() == transfer.value.hex { isMoved = true }
        }
        return isUsed && isMoved
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

    /// One transaction at a time: the sender's numbers follow each other.
    private func begin() async {
        if isSending { await withCheckedContinuation { waiting.append($0) } }
        isSending = true
    }

    private func end() {
        if waiting.isEmpty { isSending = false } else { waiting.removeFirst().resume() }
    }
}
