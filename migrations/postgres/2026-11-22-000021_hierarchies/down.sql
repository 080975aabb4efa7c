DROP TABLE hierarchies;
