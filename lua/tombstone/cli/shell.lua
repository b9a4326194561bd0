--- `tombstone shell`
-- @module tombstone.cli.shell
local line = require "tombstone.cli.line"
local readable = require "tombstone.cli.readable"
local refusal = require "tombstone.cli.refusal"
local selection = require "tombstone.cli.selection"

local M = {
  name = "shell",
  prints = true, -- what the code prints is what it was run for
  summary = "Run Lua with the database and its models: a prompt, a file, code, or what is piped in.",
  epilog = [[
There are db, tombstone, each model by its name, and of tombstone f (field), F, Q, any, all, none,
null, count, sum, min, max, avg. As in
   tombstone shell -e 'Post.objects:count()'
   echo 'print(Post.objects:count())' | tombstone shell]],
}

local WORDS = { "F", "Q", "any", "all", "none", "null", "count", "sum", "min", "max", "avg" }

function M.arguments(command)
  command:argument("file", "A Lua file to run."):args "?"
  command:argument("arguments", "What it gets as `...`."):args "*"
  command
    :option("-e --execute", "Lua code to run, several in order; the values of an expression are printed.")
    :argname("CODE")
    :count "*"
end

-- ---- what the code sees ---------------------------------------------------------------------

local function environment_of(db)
  local tombstone = require "tombstone"
  local environment = { db = db, tombstone = tombstone, f = tombstone.field }
  for _, word in ipairs(WORDS) do
    environment[word] = tombstone[word]
  end
  for _, model in ipairs(db:models()) do
    environment[selection.name_of(model)] = model
  end
  return setmetatable(environment, { __index = _G })
end

-- Lua 5.1 gives a chunk its environment afterwards.
local setfenv = rawget(_G, "setfenv")
local loadstring = rawget(_G, "loadstring")

local function load_text(text, name, environment)
  if not setfenv then
    return load(text, name, "t", environment)
  end
  local chunk, why = loadstring(text, name)
  return chunk and setfenv(chunk, environment), why
end

local function all_but_first(_, ...)
  return ...
end

-- An expression first, so that its values can be shown. It is no tail call, after which errors
-- would not know their place.
local function compile(text, name, environment)
  local expression = load_text("return nil, " .. text, name, environment)
  if expression then
    return function()
      return all_but_first(expression())
    end
  end
  return load_text(text, name, environment)
end

local function is_unfinished(why)
  return why:match "<eof>'?$" ~= nil
end

-- ---- running -----------------------------------------------------------------------------------

local function pack(...)
  return { n = select("#", ...), ... }
end

local function show(values)
  for i = 1, values.n do
    io.write(readable.text(values[i]), "\n")
  end
end

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local function run_text(text, name, environment)
  local chunk, why = compile(text, name, environment)
  if not chunk then
    refusal.raise(why)
  end
  show(pack(chunk()))
end

local function read_all(path)
  local file, why = io.open(path, "rb")
  if not file then
    refusal.raise("cannot read " .. why)
  end
  local text = file:read "*a"
  file:close()
  return (text:gsub("^#[^\n]*", "")) -- a line for the system
end

local function run_file(path, arguments, environment)
  local chunk, why = load_text(read_all(path), "@" .. path, environment)
  if not chunk then
    refusal.raise(why)
  end
  local ok, err = pcall(chunk, unpack(arguments or {}))
  if not ok then
    refusal.of_script(err)
  end
end

-- ---- the prompt -----------------------------------------------------------------------------------

-- Lines until they are a chunk; nil at the end of the input.
local function read_chunk(read, environment)
  local text = read "> "
  if text == nil then
    return nil
  end
  while true do
    local chunk, why = compile(text, "=shell", environment)
    if chunk or not is_unfinished(why) then
      return chunk or false, why
    end
    local more = read ">> "
    if more == nil then
      return nil
    end
    text = text .. "\n" .. more
  end
end

local function complain(context, err)
  local message, hint = refusal.explain(err)
  local text = message:gsub("\n", " ") .. (hint and " (" .. hint .. ")" or "")
  io.stderr:write(context.terminal:paint_error("red", text), "\n")
end

-- What Ctrl-C broke off in the middle of a transaction is not left open.
local function roll_back(db, depth, err)
  while refusal.is_interruption(err) and db:is_open() and db:depth() > depth do
    db:rollback()
  end
end

local function run_one(context, db, chunk)
  local depth = db:is_open() and db:depth() or 0
  local ok, values = pcall(function()
    return pack(chunk())
  end)
  if ok then
    ok, values = pcall(show, values)
  end
  if not ok then
    roll_back(db, depth, values)
    complain(context, values)
  end
end

local function greet(context, db)
  local names = {}
  for i, model in ipairs(db:models()) do
    names[i] = selection.name_of(model)
  end
  local models = #names > 0 and table.concat(names, ", ") or "no models"
  context.out:line(("%s: %s. Ctrl-D ends."):format(context:settings().database, models))
end

local function words_of(environment)
  local words = {}
  for word in pairs(environment) do
    words[#words + 1] = word
  end
  table.sort(words)
  return words
end

local function prompt(context, db, environment)
  greet(context, db)
  local read, finish = line.reader(context.terminal, words_of(environment))
  while true do
    local ok, chunk, why = pcall(read_chunk, read, environment)
    if not ok then
      complain(context, chunk) -- Ctrl-C at the prompt: what was typed is dropped
    elseif chunk == nil then
      break
    elseif chunk == false then
      complain(context, why)
    else
      run_one(context, db, chunk)
    end
  end
  io.write "\n"
  finish()
end

local function need_one_source(arguments)
  if #arguments.execute > 0 and arguments.file then
    local message = ("both -e and a file are given, %s"):format(arguments.file)
    refusal.raise(message, "give one of them; quote code with blanks", refusal.USAGE)
  end
end

function M.run(context, arguments)
  need_one_source(arguments)
  local db = context:db()
  local environment = environment_of(db)
  if #arguments.execute > 0 then
    for _, text in ipairs(arguments.execute) do
      run_text(text, "=(code)", environment)
    end
  elseif arguments.file then
    run_file(arguments.file, arguments.arguments, environment)
  elseif context.terminal.input then
    prompt(context, db, environment)
  else
    run_text(io.read "*a", "=(input)", environment)
  end
end

return M
