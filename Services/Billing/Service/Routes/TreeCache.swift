internal import BillingDomain
internal import EVM
internal import Money
internal import Synchronization
internal import Threads

/// The trees of the epochs that were asked for last: everybody may ask, and to make one hashes every wallet of the house.
final class TreeCache: Sendable {
    /// A tree with the place of each wallet in it.
    struct Wallets: Sendable {
        let tree: StandardMerkleTree
        private let places: [EVMAddress: Int]

        init(_ tree: StandardMerkleTree) {
            self.tree = tree
            places = Dictionary(tree.values.enumerated().map { ($1.address, $0) }) { first, _ in first }
        }

        func place(_ address: EVMAddress) -> Int? { places[address] }
    }

    private struct Key: Hashable {
        let asset: Asset
        let epoch: Int
    }

    private struct Contents {
        var wallets: [Key: Wallets] = [:]
        var liabilities: [Key: LiabilityTree] = [:]
    }

    /// At most so many of each kind; when there are more, all are made anew as they are asked for.
    private static let maximumCount = 16

    private let contents = Lock(Contents())

    func wallets(_ asset: Asset, _ epoch: Int) -> Wallets? { contents.withLock { $0.wallets[Key(asset: asset, epoch: epoch)] } }

    func keep(_ wallets: Wallets, _ asset: Asset, _ epoch: Int) {
        contents.withLock { contents in
            if contents.wallets.count >= Self.maximumCount { contents.wallets = [:] }
            contents.wallets[Key(asset: asset, epoch: epoch)] = wallets
        }
    }

    func liabilities(_ asset: Asset, _ epoch: Int) -> LiabilityTree? {
        contents.withLock { $0.liabilities[Key(asset: asset, epoch: epoch)] }
    }

    func keep(_ tree: LiabilityTree, _ asset: Asset, _ epoch: Int) {
        contents.withLock { contents in
            if contents.liabilities.count >= Self.maximumCount { contents.liabilities = [:] }
            contents.liabilities[Key(asset: asset, epoch: epoch)] = tree
        }
    }
}
