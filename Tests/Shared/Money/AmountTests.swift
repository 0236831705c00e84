import JSON
import Money
import Testing

@Suite("Assets and amounts")
struct AmountTests {
    @Test("an asset is a code and its digits", arguments: ["USDC/6", "A/0", "EUR/2", "ETH/18", "ABCDEFGHIJKLMNO9/3"])
    func assets(_ text: String) throws {
        let asset = try Asset(text)
        #expect(asset.text == text)
        #expect(asset.description == text)
        #expect("\(asset.code)/\(asset.digits)" == text)
    }

    @Test(
        "what is not an asset is refused",
        arguments: [
            "", "USDC", "usdc/6", "/6", "USDC/", "USDC/06", "USDC/19", "USDC/-1", "USDC/6 ", "6USDC/6", "US-DC/6", "ABCDEFGHIJKLMNOPQ/2",
            "USDC/6/6", "ÜSD/2", "USDC/٦",
        ])
    func badAssets(_ text: String) { #expect(throws: MoneyError.malformedAsset(text)) { try Asset(text) } }

    @Test("arithmetic is exact or throws")
    func arithmetic() throws {
        let usdc = try Asset("USDC/6"), euro = try Asset("EUR/2")
        let most = Amount(.max, usdc), least = Amount(.min, usdc), one = Amount(1, usdc)
        #expect(try Amount(5, usdc).adding(Amount(-7, usdc)) == Amount(-2, usdc))
        #expect(try Amount(5, usdc).subtracting(Amount(7, usdc)) == Amount(-2, usdc))
        #expect(try most.subtracting(one).adding(one) == most)
        #expect(try Amount(-3, usdc).multiplied(by: 4) == Amount(-12, usdc))
        #expect(try Amount.sum([one, one, most.subtracting(Amount(2, usdc))], of: usdc) == most)
        #expect(throws: MoneyError.overflow(usdc)) { try most.adding(one) }
        #expect(throws: MoneyError.overflow(usdc)) { try least.subtracting(one) }
        #expect(throws: MoneyError.overflow(usdc)) { try least.negated() }
        #expect(throws: MoneyError.overflow(usdc)) { try most.multiplied(by: 2) }
        #expect(throws: MoneyError.wrongAsset(expected: usdc, actual: euro)) { try one.adding(Amount(1, euro)) }
        #expect(throws: MoneyError.wrongAsset(expected: usdc, actual: euro)) { try one.isLess(than: Amount(1, euro)) }
    }

    @Test("people's numbers and minor units agree")
    func decimals() throws {
        let usdc = try Asset("USDC/6"), yen = try Asset("JPY/0"), tenth = try Asset("X/1")
        for (text, units) in [("12.34", 12_340_000), ("0.000001", 1), ("-0.50", -500_000), ("7.00", 7_000_000), ("0.00", 0)] {
            #expect(try Amount(decimal: text, usdc).units == Int128(units))
            #expect(Amount(Int128(units), usdc).decimal == text)
        }
        #expect(try Amount(decimal: "12", usdc).units == 12_000_000)
        #expect(Amount(1200, yen).description == "1200 JPY")
        #expect(Amount(-1205, tenth).decimal == "-120.5")
        #expect(Amount(.min, yen).decimal == String(Int128.min))
        for text in ["", ".5", "5.", "1e3", "+1", " 1", "1 ", "1,000", "01", "--1", "1.2.3", "٣", "-"] {
            #expect(throws: MoneyError.malformedAmount(text)) { try Amount(decimal: text, usdc) }
        }
        #expect(throws: MoneyError.tooFine("0.0000001", asset: usdc)) { try Amount(decimal: "0.0000001", usdc) }
        #expect(throws: MoneyError.tooFine("1.0", asset: yen)) { try Amount(decimal: "1.0", yen) }
        #expect(throws: MoneyError.overflow(usdc)) { try Amount(decimal: String(Int128.max), usdc) }
    }

    @Test("the JSON form goes and comes unchanged, and is strict")
    func json() throws {
        let usdc = try Asset("USDC/6")
        for units in [0, 1, -1, Int128.max, Int128.min] {
            let amount = Amount(units, usdc)
            #expect(try Amount(json: JSONField(amount.json)) == amount)
        }
        #expect(String(decoding: try JSON.canonical(Amount(-5, usdc).json), as: UTF8.self) == #"{"amount":"-5","asset":"USDC/6"}"#)
        for text in [
            #"{"amount":5,"asset":"USDC/6"}"#, #"{"amount":"5.0","asset":"USDC/6"}"#, #"{"amount":"05","asset":"USDC/6"}"#,
            #"{"amount":"-0","asset":"USDC/6"}"#, #"{"amount":"5"}"#, #"{"amount":"5","asset":"usdc"}"#, #""5""#,
            #"{"amount":"5","asset":"USDC/6","unit":"minor"}"#, #"{"amount":"170141183460469231731687303715884105728","asset":"USDC/6"}"#,
        ] {
            let field = JSONField(try JSON.parse(text), at: "/fee")
            let error = #expect(throws: JSONFieldError.self) { try Amount(json: field) }
            #expect(error?.pointer.hasPrefix("/fee") == true)
        }
    }
}
