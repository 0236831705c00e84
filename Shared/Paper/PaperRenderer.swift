internal import CPaper

/// Draws blocks onto pages with cairo and pango: letters of all scripts that the machine's fonts have, text that can be searched and
/// copied. Used by one thread from beginning to end.
final class PaperRenderer {
    // A4 in points, and what is left white around it.
    private static let width = 595.276
    private static let height = 841.89
    private static let margin = 48.0
    private static let font = "Inter, Sans"

    private final class Output {
        var bytes: [UInt8] = []
    }

    private let output = Output()
    private let surface: OpaquePointer
    private let context: OpaquePointer
    private let layout: OpaquePointer
    private let title: String
    private var top = PaperRenderer.margin
    private var page = 1

    private var inner: Double { Self.width - 2 * Self.margin }
    private var bottom: Double { Self.height - Self.margin - 18 }

    init(_ document: PaperDocument) throws(PaperError) {
        title = document.title
        let closure = Unmanaged.passUnretained(output).toOpaque()
        // Kept alive by `output`, which lives as long as the surface does.
        let made = cairo_pdf_surface_create_for_stream(
            { closure, data, count in
                guard let closure, let data else { return CAIRO_STATUS_WRITE_ERROR }
                let output = Unmanaged<Output>.fromOpaque(closure).takeUnretainedValue()
                output.bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(count)))
                return CAIRO_STATUS_SUCCESS
            }, closure, Self.width, Self.height)
        guard let made, let context = cairo_create(made), let layout = pango_cairo_create_layout(context) else {
            throw PaperError("the drawing library has no memory left")
        }
        surface = made
        self.context = context
        self.layout = layout
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, document.title)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, document.made)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "OpenLedger")
    }

    deinit {
        cpaper_free_layout(layout)
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    /// Ends the last page and gives the file.
    func finish() throws(PaperError) -> [UInt8] {
        foot()
        cairo_show_page(context)
        cairo_surface_finish(surface)
        for status in [cairo_status(context), cairo_surface_status(surface)] where status != CAIRO_STATUS_SUCCESS {
            throw PaperError(String(cString: cairo_status_to_string(status)))
        }
        return output.bytes
    }

    func draw(_ blocks: [PaperDocument.Block]) {
        for block in blocks {
            switch block {
            case .heading(let text): draw(paragraph: text, size: 15, isBold: true, after: 8)
            case .text(let text): draw(paragraph: text, size: 9, isBold: false, after: 8)
            case .facts(let facts):
                for fact in facts { draw(fact) }
                top += 8
            case .table(let table): draw(table)
            }
        }
    }

    // MARK: Blocks

    private func draw(paragraph text: String, size: Double, isBold: Bool, after: Double) {
        let height = set(text, size: size, isBold: isBold, width: inner, isCut: false)
        if makeRoom(for: height) { _ = set(text, size: size, isBold: isBold, width: inner, isCut: false) }
        show(at: Self.margin)
        top += height + after
    }

    private func draw(_ fact: (name: String, value: String)) {
        let height = set(fact.value, size: 9, isBold: false, width: inner - 140, isCut: false)
        if makeRoom(for: height) { _ = set(fact.value, size: 9, isBold: false, width: inner - 140, isCut: false) }
        show(at: Self.margin + 140)
        _ = set(fact.name, size: 9, isBold: false, width: 130, isCut: true)
        shade(0.4)
        show(at: Self.margin)
        shade(0)
        top += height + 2
    }

    private func draw(_ table: PaperTable) {
        let total = table.columns.reduce(0) { $0 + $1.width }
        guard total > 0 else { return }
        let widths = table.columns.map { $0.width / total * inner }
        head(table, widths)
        for row in table.rows {
            if top + 13 > bottom {
                turnPage()
                head(table, widths)
            }
            if let link = row.link, Self.isPlain(link) { cairo_tag_begin(context, CAIRO_TAG_LINK, "uri='\(link)'") }
            line(zip(table.columns, row.cells).map { (text: $1, isNumber: $0.isNumber) }, widths, isBold: false)
            if let link = row.link, Self.isPlain(link) { cairo_tag_end(context, CAIRO_TAG_LINK) }
            top += 13
        }
        top += 8
    }

    private func head(_ table: PaperTable, _ widths: [Double]) {
        makeRoom(for: 30)
        line(table.columns.map { (text: $0.title, isNumber: $0.isNumber) }, widths, isBold: true)
        top += 13
        shade(0.7)
        cairo_set_line_width(context, 0.5)
        cairo_move_to(context, Self.margin, top - 1)
        cairo_line_to(context, Self.margin + inner, top - 1)
        cairo_stroke(context)
        shade(0)
        top += 2
    }

    private func line(_ cells: [(text: String, isNumber: Bool)], _ widths: [Double], isBold: Bool) {
        var left = Self.margin
        for (cell, width) in zip(cells, widths) {
            _ = set(cell.text, size: 8, isBold: isBold, width: width - 6, isCut: true)
            pango_layout_set_alignment(layout, cell.isNumber ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT)
            show(at: left)
            left += width
        }
        pango_layout_set_alignment(layout, PANGO_ALIGN_LEFT)
    }

    // MARK: Pages

    /// - Returns: whether a page was turned; then the layout has the foot's text, and what is to be drawn must be set again.
    @discardableResult
    private func makeRoom(for height: Double) -> Bool {
        guard top + height > bottom, top > Self.margin else { return false }
        turnPage()
        return true
    }

    private func turnPage() {
        foot()
        cairo_show_page(context)
        page += 1
        top = Self.margin
    }

    private func foot() {
        let here = top
        top = Self.height - Self.margin
        shade(0.4)
        _ = set(title, size: 7.5, isBold: false, width: inner - 60, isCut: true)
        show(at: Self.margin)
        _ = set(String(page), size: 7.5, isBold: false, width: 50, isCut: true)
        pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT)
        show(at: Self.margin + inner - 50)
        pango_layout_set_alignment(layout, PANGO_ALIGN_LEFT)
        shade(0)
        top = here
    }

    // MARK: Text

    /// Sets the layout's text; its height in points.
    private func set(_ text: String, size: Double, isBold: Bool, width: Double, isCut: Bool) -> Double {
        if let font = pango_font_description_from_string("\(Self.font)\(isBold ? " Bold" : "")") {
            pango_font_description_set_size(font, cpaper_units(size))
            pango_layout_set_font_description(layout, font)
            pango_font_description_free(font)
        }
        pango_layout_set_width(layout, cpaper_units(width))
        pango_layout_set_ellipsize(layout, isCut ? PANGO_ELLIPSIZE_MIDDLE : PANGO_ELLIPSIZE_NONE)
        pango_layout_set_single_paragraph_mode(layout, isCut ? 1 : 0)
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
        pango_layout_set_text(layout, text, -1)
        var units: (Int32, Int32) = (0, 0)
        pango_layout_get_size(layout, &units.0, &units.1)
        return cpaper_points(units.1)
    }

    private func show(at left: Double) {
        cairo_move_to(context, left, top)
        pango_cairo_show_layout(context, layout)
    }

    private func shade(_ grey: Double) { cairo_set_source_rgb(context, grey, grey, grey) }

    /// Whether a link can stand between quotes in cairo's tag.
    private static func isPlain(_ link: String) -> Bool {
        link.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x27 && $0 != 0x5C }
    }
}
