-- report.lua - the table of the bench, for a terminal or as Markdown.
local report = {}

function report.median(list)
  table.sort(list)
  local middle = math.floor((#list + 1) / 2)
  if #list % 2 == 1 then
    return list[middle]
  end
  return (list[middle] + list[middle + 1]) / 2
end

local function column(pairs_of, value)
  local list = {}
  for i, pair in ipairs(pairs_of) do
    list[i] = value(pair)
  end
  local middle = report.median(list) -- sorts
  return middle, list[1], list[#list]
end

local function ratio(operation)
  return column(operation.pairs, function(pair)
    return pair.b / pair.a
  end)
end

function report.highest(list)
  local highest = 0
  for _, operation in ipairs(list) do
    highest = math.max(highest, (ratio(operation)))
  end
  return highest
end

-- Three digits that count.
local function short(number)
  local decimals = number >= 100 and 0 or number >= 10 and 1 or 2
  return string.format("%." .. decimals .. "f", number)
end

local function row_of(operation)
  local a = column(operation.pairs, function(pair) return pair.a end)
  local b = column(operation.pairs, function(pair) return pair.b end)
  local middle, low, high = ratio(operation)
  local unit = operation.run == "memory" and " MiB" or " µs"
  return {
    operation.label, operation.against, short(a) .. unit, short(b) .. unit,
    string.format("%.2f", middle), string.format("%.2f-%.2f", low, high),
    string.format("%.2f", operation.target),
    middle <= operation.target and "yes" or "NO",
  }
end

local HEADER = { "operation", "against", "baseline", "tombstone", "ratio",
  "of the pairs", "target", "met" }

-- ---- layout ----------------------------------------------------------------

-- Characters, not bytes: µ has two.
local function width(text)
  local _, continued = string.gsub(text, "[\128-\191]", "")
  return #text - continued
end

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, width(cell))
    end
  end
  return widths
end

-- The first columns are texts, the others numbers.
local function line(row, widths, texts, markdown)
  local cells = {}
  for i, cell in ipairs(row) do
    local space = string.rep(" ", widths[i] - width(cell))
    cells[i] = i <= texts and cell .. space or space .. cell
  end
  if markdown then
    return "| " .. table.concat(cells, " | ") .. " |\n"
  end
  return (string.gsub(table.concat(cells, "  "), " +$", "")) .. "\n"
end

local function rule(widths, texts, markdown)
  local cells = {}
  for i, n in ipairs(widths) do
    local right = markdown and i > texts
    cells[i] = string.rep("-", n - 1) .. (right and ":" or "-")
  end
  return line(cells, widths, texts, markdown)
end

-- Rows of cells as a table, the first of them its head.
function report.lay_out(rows, texts, markdown)
  local widths, lines = widths_of(rows), {}
  for i, row in ipairs(rows) do
    lines[#lines + 1] = line(row, widths, texts, markdown)
    if i == 1 then
      lines[#lines + 1] = rule(widths, texts, markdown)
    end
  end
  return table.concat(lines)
end

function report.table(list, markdown)
  local rows = { HEADER }
  for _, operation in ipairs(list) do
    rows[#rows + 1] = row_of(operation)
  end
  return report.lay_out(rows, 2, markdown)
end

return report
