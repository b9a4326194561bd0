--- The words of a migration: `m:create_table`, `m:add_column` and the others.
--
-- Each word has an inverse, or says why not: `reverse` runs `up` with recorded words and answers
-- those that take it back.
-- @module tombstone.migrate.words
local migration = require "tombstone.migrate.migration"
require "tombstone.migrate.words_adopt"
require "tombstone.migrate.words_columns"
require "tombstone.migrate.words_constraints"
require "tombstone.migrate.words_data"
require "tombstone.migrate.words_soft"
require "tombstone.migrate.words_tables"
require "tombstone.migrate.words_unique"

return { new = migration.new, inverse = migration.inverse }
