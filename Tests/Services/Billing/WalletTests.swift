import EVM
import BillingDomain
import Events
import Testing

@Suite("Wallets and who may change them")
struct WalletTests {
    private func refused(_ house: House, _ request: WalletRequest) -> String? {
        do throws(BillingError) {
            _ = try house.state.setWallet(request)
            return nil
        } catch {
            if case .invalid(let field, _) = error { return field }
            return error.code
        }
    }

    @Test("each change is signed by the key that the one before it named, and has the next number")
    func rotation() throws {
        var house = try House()
        let one = try WalletKey(1), two = try WalletKey(2), stranger = try WalletKey(9)
        let first = try one.request("alice", WalletKey.address(1), next: two)
        // Of an owner whom no principal is, the first is signed by the key that it names.
        #expect(refused(house, first) == "signature")
        let own = try one.request("alice", WalletKey.address(1))
        try house.run { try $0.setWallet(own) }
        #expect(refused(house, own) == "sequence")
        #expect(try refused(house, one.request("alice", WalletKey.address(2), 2)) == "sequence")
        #expect(try refused(house, stranger.request("alice", WalletKey.address(2), 1)) == "signature")
        let next = try one.request("alice", WalletKey.address(2), 1, next: two)
        for changed in [
            WalletRequest(
                owner: "alice", address: WalletKey.address(3), sequence: 1, key: next.key, recovery: nil, signature: next.signature),
            WalletRequest(
                owner: "alice", address: next.address, sequence: 1, key: stranger.did, recovery: nil, signature: next.signature),
            WalletRequest(
                owner: "alice", address: next.address, sequence: 1, key: next.key, recovery: stranger.did, signature: next.signature),
            WalletRequest(owner: "alice", address: next.address, sequence: 1, key: next.key, recovery: nil, signature: "AAAA"),
        ] { #expect(refused(house, changed) == "signature") }
        #expect(
            refused(
                house, WalletRequest(owner: "alice", address: next.address, sequence: 1, key: "x", recovery: nil, signature: ""))
                == "key")
        try house.run { try $0.setWallet(next) }
        // The key before has had its turn.
        #expect(try refused(house, one.request("alice", WalletKey.address(3), 2)) == "signature")
        let last = try two.request("alice", WalletKey.address(3), 2)
        try house.run { try $0.setWallet(last) }
        #expect(house.state.wallet(of: "alice")?.address.description == WalletKey.address(3))
    }

    @Test("a lost key is recovered by the key that the owner named for it, or by the house's guardian")
    func recovery() throws {
        var house = try House()
        let lost = try WalletKey(1), safe = try WalletKey(2), found = try WalletKey(3), guardian = try WalletKey(4)
        let first = try lost.request("alice", WalletKey.address(1), recovery: safe)
        try house.run { try $0.setWallet(first) }
        #expect(try refused(house, guardian.request("alice", WalletKey.address(2), 1, next: found)) == "signature")
        let recovered = try safe.request("alice", WalletKey.address(2), 1, next: found)
        let made = try house.run { try $0.setWallet(recovered) }
        guard case .walletSet(let event)? = made.first else { throw BillingError.notFound("wallet") }
        #expect(event.recovered && event.signer == safe.did)
        // Without a recovery key there is the guardian, once there is one.
        #expect(try refused(house, safe.request("alice", WalletKey.address(1), 2)) == "signature")
        var rules = BillingState.standardRules
        rules.guardian = "did:key:none"
        #expect(throws: BillingError.self) { try house.state.setRules(rules) }
        rules.guardian = guardian.did
        let standing = rules
        try house.run { try $0.setRules(standing) }
        let again = try guardian.request("alice", WalletKey.address(1), 2, next: lost)
        try house.run { try $0.setWallet(again) }
        #expect(house.state.wallet(of: "alice")?.key == lost.did)
        #expect(house.auditor.wallet(of: "alice") == house.state.wallet(of: "alice"))
    }

    @Test("the first wallet of a principal is signed by a key that it has linked")
    func principals() throws {
        var house = try House()
        let linked = try WalletKey(1), former = try WalletKey(2), stranger = try WalletKey(3)
        try house.tell(PrincipalRegistered(principal: "ann", kind: "person", key: former.did))
        try house.tell(KeyRotated(principal: "ann", added: linked.did, removed: former.did))
        #expect(try refused(house, stranger.request("ann", WalletKey.address(1))) == "signature")
        #expect(try refused(house, former.request("ann", WalletKey.address(1))) == "signature")
        // An audit may see a key as removed that was linked when this was decided.
        #expect(throws: Never.self) { try house.state.setWallet(former.request("ann", WalletKey.address(1)), lately: true) }
        #expect(throws: BillingError.self) { try house.state.setWallet(stranger.request("ann", WalletKey.address(1)), lately: true) }
        let request = try linked.request("ann", WalletKey.address(1), next: stranger)
        try house.run { try $0.setWallet(request) }
        #expect(house.state.wallet(of: "ann")?.key == stranger.did)
    }

    @Test("a change on the log whose signature is not of the one before it stops whoever folds it")
    func forged() throws {
        var house = try House()
        let key = try WalletKey(1), stranger = try WalletKey(9)
        let first = try key.request("alice", WalletKey.address(1))
        try house.run { try $0.setWallet(first) }
        let request = try stranger.request("alice", WalletKey.address(2), 1)
        let forged = BillingEvent.walletSet(
            WalletSet(
                owner: "alice", address: request.address, sequence: 1, key: request.key, signer: stranger.did, signature: request.signature,
                recovered: true))
        let now = house.now
        #expect(throws: BillingFault.self) { try house.auditor.evolve(forged, time: now) }
    }
}
