-- The classes of the library itself, as lua-language-server reads them. What depends on the models
-- stands between `HEAD` and `TAIL`. Each annotation has its dashes put before it, without which it
-- is no comment of this file.

local HEAD = [[
@meta tombstone
-- Written by `tombstone types` from the models. Changes in it are lost.

@alias tombstone.Null lightuserdata

@class tombstone.Condition
@operator bor(tombstone.Condition): tombstone.Condition
@operator band(tombstone.Condition): tombstone.Condition
@operator bnot: tombstone.Condition

@class tombstone.Expression
@operator add(any): tombstone.Expression
@operator sub(any): tombstone.Expression
@operator mul(any): tombstone.Expression
@operator div(any): tombstone.Expression
@operator mod(any): tombstone.Expression

@class tombstone.Aggregate

@class tombstone.Error
@field kind string
@field message string
@field hint string|nil
@field model string|nil
@field fields string[]|nil
@field value any
@field constraint string|nil
@field conflicts tombstone.Conflict[]|nil

@class tombstone.RowKey
@field model string
@field pk any

@class tombstone.Conflict
@field model string
@field constraint string
@field fields string[]
@field value any
@field dead_pk any
@field live_pk any
@field twin_pk any

@class tombstone.Needed
@field model string
@field field string
@field count integer
@field example any
@field dead boolean|nil

@class tombstone.Report
@field rows table<string, integer>
@field kept table<string, integer>
@field needed tombstone.Needed[]|nil
@field left table<string, integer>|nil
@field events table<string, integer>|nil

@class tombstone.RestorePlan
@field rows table<string, integer>
@field conflicts tombstone.Conflict[]
@field parents tombstone.RowKey[]
@field held_back table<string, integer>|nil

@class tombstone.Limits
@field timeout_ms? number
@field max_steps? integer

@class tombstone.AllOptions: tombstone.Limits
@field all? boolean

@class tombstone.DeleteOptions: tombstone.AllOptions
@field actor? string
@field reason? string
@field max_rows? integer

@alias tombstone.Strategy "fail"|"skip"|"rename"|"replace"
@alias tombstone.Decide fun(row: any, conflict: tombstone.Conflict): tombstone.Strategy|table<string, any>

@class tombstone.RestoreOptions: tombstone.AllOptions
@field on_conflict? tombstone.Strategy|tombstone.Decide
@field parents? boolean
@field actor? string
@field reason? string

@class tombstone.UndoOptions: tombstone.Limits
@field on_conflict? tombstone.Strategy|tombstone.Decide|table<string, tombstone.Strategy|tombstone.Decide>

@class tombstone.PurgeOptions: tombstone.AllOptions
@field living? boolean
@field dry_run? boolean
@field actor? string
@field reason? string

@class tombstone.ExpiredOptions: tombstone.Limits
@field dry_run? boolean

@class tombstone.EachOptions
@field snapshot? boolean
@field reuse? boolean

@class tombstone.UpsertOptions: tombstone.Limits
@field on? string|string[]
@field update? string[]|table<string, any>
@field on_deleted? "new"|"restore"|"refuse"

@class tombstone.GetOrCreateOptions: tombstone.Limits
@field on_deleted? "new"|"restore"|"refuse"

@class tombstone.EventFilter
@field id? integer
@field actor? string
@field reason? string
@field model? string|tombstone.Model
@field pk? any
@field since? number
@field before? number
@field undone? boolean

@class tombstone.OpenOptions: tombstone.Limits
@field busy_timeout? integer
@field synchronous? "full"|"normal"
@field read_only? boolean
@field statement_cache? integer
@field cache_kb? integer
@field clock? fun(): number
@field log? fun(sql: string, values: any[])
@field lazy? "allow"|"warn"|"refuse"
@field warn? fun(message: string)

@class tombstone.Query
@field count fun(self: tombstone.Query): integer
@field exists fun(self: tombstone.Query): boolean
@field values fun(self: tombstone.Query, ...: string): table<string, any>[]
@field pluck fun(self: tombstone.Query, name: string): any[]
@field aggregate fun(self: tombstone.Query, what: table<string, tombstone.Aggregate>): table<any, any>
@field delete fun(self: tombstone.Query, options?: tombstone.DeleteOptions): integer, tombstone.Event|nil
@field restore fun(self: tombstone.Query, options?: tombstone.RestoreOptions): integer
@field purge fun(self: tombstone.Query, options?: tombstone.PurgeOptions): integer, tombstone.Report
@field delete_plan fun(self: tombstone.Query): table<string, integer>
@field restore_plan fun(self: tombstone.Query): tombstone.RestorePlan
@field sql fun(self: tombstone.Query): string, any[]
@field explain fun(self: tombstone.Query): string[]
@field explain_liveness fun(self: tombstone.Query): table<string, any>[]

@class tombstone.Model
@field fields fun(self: tombstone.Model): table<string, any>[]
@field database fun(self: tombstone.Model): tombstone.Database
@field is_soft fun(self: tombstone.Model): boolean
@field has_events fun(self: tombstone.Model): boolean
@field keep fun(self: tombstone.Model): number|nil
@field recount fun(self: tombstone.Model): integer
]]

local TAIL = [[

@class tombstone.Event
@field id integer
@field at number
@field model string
@field pk string|nil
@field actor string|nil
@field reason string|nil
@field undone_at number|nil
@field undo fun(self: tombstone.Event, options?: tombstone.UndoOptions): integer
@field counts fun(self: tombstone.Event): table<string, integer>
@field restore_plan fun(self: tombstone.Event): tombstone.RestorePlan
local Event = {}

@param model string|tombstone.Model
@return tombstone.Query
%sfunction Event:rows(model) end

@class tombstone.Database
@field models fun(self: tombstone.Database): tombstone.Model[]
@field create_tables fun(self: tombstone.Database)
@field transaction fun(self: tombstone.Database, body: function, ...: any): any
@field in_transaction fun(self: tombstone.Database): boolean
@field after_commit fun(self: tombstone.Database, body: fun())
@field within fun(self: tombstone.Database, limits: tombstone.Limits, body: function, ...: any): any
@field interrupt fun(self: tombstone.Database)
@field events fun(self: tombstone.Database, filter?: tombstone.EventFilter): tombstone.Event[]
@field query fun(self: tombstone.Database, sql: string, ...: any): table<string, any>[]
@field each fun(self: tombstone.Database, sql: string, ...: any): fun(): table<string, any>|nil
@field exec fun(self: tombstone.Database, sql: string, ...: any): integer
@field backup fun(self: tombstone.Database, path: string)
@field info fun(self: tombstone.Database): table<string, string>
@field now fun(self: tombstone.Database): number
@field is_open fun(self: tombstone.Database): boolean
@field close fun(self: tombstone.Database)
local Database = {}

@param options tombstone.DeleteOptions
@param body function
@return tombstone.Event|nil event
@return any result
function Database:deletion(options, body) end

@param options? tombstone.ExpiredOptions
@return table<string, integer> counts
@return tombstone.Report report
function Database:purge_expired(options) end

@param name string
@param fields? table<string, any>
@param options? table<string, any>
@return tombstone.Model
%sfunction Database:model(name, fields, options) end

@class tombstone.Module
@field open fun(path: string, options?: tombstone.OpenOptions): tombstone.Database
@field field table<string, fun(...: any): any>
@field null tombstone.Null
@field Q fun(lookups: table<string, any>): tombstone.Condition
@field all fun(parts: (tombstone.Condition|table<string, any>)[]): tombstone.Condition
@field any fun(parts: (tombstone.Condition|table<string, any>)[]): tombstone.Condition
@field none fun(parts: (tombstone.Condition|table<string, any>)[]): tombstone.Condition
@field F fun(field: string): tombstone.Expression
@field count fun(what: string): tombstone.Aggregate
@field sum fun(what: string): tombstone.Aggregate
@field min fun(what: string): tombstone.Aggregate
@field max fun(what: string): tombstone.Aggregate
@field avg fun(what: string): tombstone.Aggregate
@field memory_limit fun(bytes?: integer): integer
@field json fun(encode: (fun(value: any): string), decode: (fun(text: string): any))
local tombstone = {}

return tombstone
]]

local function with_dashes(text)
  return (("\n" .. text):gsub("\n@", "\n---@"):sub(2))
end

return { HEAD = with_dashes(HEAD), TAIL = with_dashes(TAIL) }
